//! The account an engine runs as.
//!
//! PostgreSQL refuses to run as root, which is the usual account in a container.

use std::{
    fmt, fs, io,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
};

/// An account other than the one of this process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Account {
    name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// Who PostgreSQL has to run as: `None` means as this process, which is right for everybody but root.
    ///
    /// Existing data keep their owner, so that root can go on with what an ordinary user began.
    pub(crate) fn for_postgres(data: Option<&Path>) -> io::Result<Option<Self>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        let owner = data
            .and_then(|data| fs::metadata(data).ok())
            .filter(|data| data.uid() != 0);
        if let Some(owner) = owner {
            return Ok(Some(Self {
                name: format!("user {}", owner.uid()),
                uid: owner.uid(),
                gid: owner.gid(),
            }));
        }
        let accounts = fs::read_to_string("/etc/passwd")?;
        ["postgres", "nobody"].iter().find_map(|name| Self::named(name, &accounts)).map(Some).ok_or_else(|| {
            io::Error::other("PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody`")
        })
    }

    fn named(name: &str, accounts: &str) -> Option<Self> {
        accounts.lines().find_map(|line| {
            let mut fields = line.split(':');
            let found = fields.next()? == name;
            let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
            found.then(|| Self {
                name: name.to_string(),
                uid,
                gid,
            })
        })
    }

    /// Makes a command run as this account, without the groups of the present one.
    pub(crate) fn runs(&self, command: &mut Command) {
        command.gid(self.gid).uid(self.uid);
    }

    /// Whether this account can enter a folder and write in it.
    ///
    /// Tried out, not computed: modes of all ancestors, access lists and mount options decide together.
    pub(crate) fn reaches(&self, folder: &Path) -> bool {
        let mut trial = Command::new("/bin/sh");
        trial
            .args(["-c", "cd \"$1\" && test -w .", "sh"])
            .arg(folder)
            .current_dir("/");
        trial
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.runs(&mut trial);
        trial.status().is_ok_and(|status| status.success())
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_read_from_the_password_file() {
        let accounts =
            "root:x:0:0:root:/root:/bin/sh\nbroken\npostgres:x:101:104:,,,:/var/lib:/bin/bash\n";
        let expected = Account {
            name: "postgres".into(),
            uid: 101,
            gid: 104,
        };
        assert_eq!(Account::named("postgres", accounts), Some(expected));
        assert_eq!(Account::named("nobody", accounts), None);
    }
}
