use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Why a file gives no text.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// There is no such file, which may be fine.
    pub(crate) absent: bool,
    pub(crate) message: String,
    /// The line at fault, 0 for the file as a whole.
    pub(crate) line: usize,
}

/// Reads a text file of bounded size; a mark of byte order is dropped.
///
/// Only regular files are opened: a pipe would block for ever.
pub(crate) fn read_text(path: &Path, max_bytes: u64) -> Result<String, Unreadable> {
    let refuse = |message: &str| Unreadable {
        absent: false,
        message: message.to_owned(),
        line: 0,
    };
    let metadata = path.metadata().map_err(Unreadable::from)?;
    if metadata.is_dir() {
        return Err(refuse("is a folder, not a file"));
    }
    if !metadata.is_file() {
        return Err(refuse("is no regular file"));
    }
    let mut bytes = Vec::new();
    // The size is checked on what was read: it may change between two looks.
    File::open(path)
        .and_then(|file| file.take(max_bytes + 1).read_to_end(&mut bytes))
        .map_err(Unreadable::from)?;
    if bytes.len() as u64 > max_bytes {
        return Err(refuse(&format!("is larger than {} KiB", max_bytes / 1024)));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text
            .strip_prefix('\u{feff}')
            .map(str::to_owned)
            .unwrap_or(text)),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..good]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            Err(Unreadable {
                line,
                ..refuse("is not UTF-8 from this line on")
            })
        }
    }
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self {
            absent: error.kind() == io::ErrorKind::NotFound,
            message: format!("cannot be read: {}", error.kind()),
            line: 0,
        }
    }
}
