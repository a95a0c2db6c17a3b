//! Where text for people goes: plain lines, and on a terminal colour and one status line that replaces itself.

use std::{
    env,
    io::{self, IsTerminal, Write},
};

use crate::failure::Failure;

/// Writes for people, to stdout, or to stderr when stdout belongs to a program.
///
/// A reader that went away (`smart ... | head`) is no reason to stop the work: errors of writing are ignored.
#[derive(Debug)]
pub(crate) struct Printer {
    stream: Stream,
    colour: bool,
    terminal: bool,
    status_is_shown: bool,
}

#[derive(Debug, Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Style {
    Bold,
    Dim,
    Good,
    Bad,
    Name,
}

impl Printer {
    pub(crate) fn for_people() -> Self {
        Self::on(Stream::Stdout, io::stdout().is_terminal())
    }

    /// For `--json`: stdout carries the document, so people read stderr.
    pub(crate) fn beside_json() -> Self {
        Self::on(Stream::Stderr, io::stderr().is_terminal())
    }

    fn on(stream: Stream, is_terminal: bool) -> Self {
        let dumb = env::var_os("TERM").is_none_or(|term| term == "dumb");
        let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let terminal = is_terminal && !dumb;
        Self {
            stream,
            colour: terminal && !no_colour,
            terminal,
            status_is_shown: false,
        }
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    pub(crate) fn line(&mut self, text: impl AsRef<str>) {
        self.clear_status();
        self.write(&format!("{}\n", text.as_ref().trim_end()));
    }

    pub(crate) fn blank(&mut self) {
        self.line("");
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if !self.colour {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Good => "32",
            Style::Bad => "31",
            Style::Name => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Replaces the status line; without a terminal nothing is shown.
    pub(crate) fn status(&mut self, text: &str) {
        if self.terminal {
            let text: String = text.chars().take(self.width().saturating_sub(1)).collect();
            let text = self.paint(Style::Dim, &text);
            self.write(&format!("\r\x1b[2K{text}"));
            self.status_is_shown = true;
        }
    }

    pub(crate) fn clear_status(&mut self) {
        if self.status_is_shown {
            self.write("\r\x1b[2K");
            self.status_is_shown = false;
        }
    }

    /// The message and its hint, always on stderr.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.clear_status();
        let mut text = format!("{} {}\n", self.paint(Style::Bad, "error:"), failure.message);
        if let Some(hint) = &failure.hint {
            let indented = hint.replace('\n', "\n        ");
            text.push_str(&format!(
                "  {} {indented}\n",
                self.paint(Style::Name, "hint:")
            ));
        }
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    fn write(&self, text: &str) {
        let _ = match self.stream {
            Stream::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout
                    .write_all(text.as_bytes())
                    .and_then(|()| stdout.flush())
            }
            Stream::Stderr => io::stderr().lock().write_all(text.as_bytes()),
        };
    }

    fn width(&self) -> usize {
        let size = match self.stream {
            Stream::Stdout => rustix::termios::tcgetwinsize(io::stdout()),
            Stream::Stderr => rustix::termios::tcgetwinsize(io::stderr()),
        };
        match size {
            Ok(size) if size.ws_col > 0 => usize::from(size.ws_col),
            _ => 80,
        }
    }
}
