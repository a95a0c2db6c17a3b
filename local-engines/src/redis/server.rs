//! Starts the server, and asks it whether it is the one.

use std::{
    fs,
    io::{self, BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    time::Duration,
};

use crate::{
    EngineError, engine::Server, folder::Folder, password::Password, port::HOST, process::Launch,
};

#[derive(Debug)]
pub(super) struct RedisServer {
    pub(super) program: PathBuf,
    pub(super) password: Option<Password>,
}

impl Server for RedisServer {
    const NAME: &'static str = "Redis";

    fn launch<'a>(&'a self, folder: &'a Folder, port: u16) -> Result<Launch<'a>, EngineError> {
        let data = folder.data();
        fs::create_dir_all(&data).map_err(EngineError::folder("create", data))?;
        // A file, not arguments: those can be read by everybody on the machine.
        let configuration = folder.write("redis.conf", &self.configuration(folder, port))?;
        Ok(Launch {
            program: self.program.clone(),
            arguments: vec![configuration.into()],
            account: folder.account(),
            folder: folder.path().to_path_buf(),
            folder_is_temporary: folder.is_temporary(),
            log: folder.log(),
        })
    }

    fn is_ready(&self, _folder: &Folder, port: u16, pid: u32) -> bool {
        self.process_on(port).is_ok_and(|found| found == Some(pid))
    }
}

impl RedisServer {
    fn configuration(&self, folder: &Folder, port: u16) -> String {
        let keeping = if folder.is_temporary() {
            PASSING_SETTINGS
        } else {
            LASTING_SETTINGS
        };
        let password = self
            .password
            .as_ref()
            .map(|password| format!("requirepass {}\n", quoted(&password.0)));
        format!(
            "# Written by local-engines at each start.\nbind {HOST}\nport {port}\ndir data\n{keeping}{}",
            password.unwrap_or_default()
        )
    }

    /// The process number of the Redis that answers on a port, once it has loaded its data.
    fn process_on(&self, port: u16) -> io::Result<Option<u32>> {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut stream = TcpStream::connect_timeout(&address, ANSWER_BOUND)?;
        stream.set_read_timeout(Some(ANSWER_BOUND))?;
        let mut request = String::new();
        if let Some(Password(password)) = &self.password {
            request = format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n", password.len());
        }
        request.push_str("INFO server\r\nINFO persistence\r\nQUIT\r\n");
        stream.write_all(request.as_bytes())?;
        let (mut process, mut loaded) = (None, false);
        for line in BufReader::new(stream).lines() {
            let line = line?;
            if let Some(number) = line.strip_prefix("process_id:") {
                process = number.parse().ok();
            }
            loaded |= line == "loading:0";
        }
        Ok(process.filter(|_| loaded))
    }
}

/// A text as one word of the configuration file.
fn quoted(text: &str) -> String {
    let escaped: String = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
    format!("\"{escaped}\"")
}

/// Nothing is kept. The higher frequency makes Redis notice its stop signal ten times sooner.
const PASSING_SETTINGS: &str = "save \"\"\nappendonly no\nhz 100\n";
/// What was answered is written to the file system, and to the disk within a second.
const LASTING_SETTINGS: &str = "save \"\"\nappendonly yes\nappendfsync everysec\n";
const ANSWER_BOUND: Duration = Duration::from_secs(1);
