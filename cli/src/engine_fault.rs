//! Why a private engine does not run, taken apart into message, hint and output.

use local_engines::EngineError;

use crate::failure::{Failure, chain};

#[derive(Debug)]
pub(crate) struct EngineFault {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    /// The last words of the engine.
    pub(crate) output: Vec<String>,
}

impl From<EngineError> for EngineFault {
    fn from(error: EngineError) -> Self {
        let fault = |message: String, hint: Option<String>| Self {
            message,
            hint,
            output: Vec::new(),
        };
        match &error {
            EngineError::NotInstalled {
                engine,
                program,
                searched,
                install,
            } => fault(
                format!("{engine} is not installed"),
                Some(format!(
                    "install it with {install}\nlooked for `{program}` in {}",
                    searched.join(", ")
                )),
            ),
            EngineError::PortInUse {
                engine,
                port,
                holder,
            } => {
                let holder = holder.as_deref().unwrap_or("another program");
                fault(
                    format!("cannot start {engine} on port {port}: {holder} listens there"),
                    Some(String::from(
                        "stop it, or change the port in `config/local.toml`",
                    )),
                )
            }
            EngineError::Failed { act, outcome, log } => Self {
                message: format!("cannot {act}: {outcome}"),
                hint: None,
                output: log.lines().map(str::to_owned).collect(),
            },
            other => fault(chain(other), None),
        }
    }
}

impl EngineFault {
    pub(crate) fn into_failure(self) -> Failure {
        let mut message = self.message;
        for line in &self.output {
            message.push_str("\n    ");
            message.push_str(line);
        }
        Failure {
            hint: self.hint,
            ..Failure::not_done(message)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_engine_names_its_package_in_the_hint() {
        let error = EngineError::NotInstalled {
            engine: "PostgreSQL",
            program: "initdb",
            searched: vec!["PATH".into(), "/usr/lib/postgresql/*/bin".into()],
            install: "`apt-get install postgresql`".into(),
        };
        let failure = EngineFault::from(error).into_failure();
        assert_eq!(failure.message, "PostgreSQL is not installed");
        assert_eq!(
            failure.hint.as_deref(),
            Some(
                "install it with `apt-get install postgresql`\nlooked for `initdb` in PATH, /usr/lib/postgresql/*/bin"
            )
        );
    }
}
