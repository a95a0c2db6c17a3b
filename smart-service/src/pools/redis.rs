//! Redis: one multiplexed connection that reconnects by itself.

use std::fmt;
use std::time::Duration;

use healthcheck::Check;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{
    Client, ConnectionAddr, ErrorKind, IntoConnectionInfo, RedisConnectionInfo, RedisError,
};
use serde::{Deserialize, Serialize};
use smart_config::{Secret, duration};

use super::{Refused, Wait, patiently, refusal};
use crate::StartError;
use crate::error::chain;

/// Where Redis is.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedisConfig {
    pub(crate) host: String,
    #[serde(default = "default_port")]
    pub(crate) port: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<Secret>,
    /// Number of the logical database.
    #[serde(default)]
    pub(crate) database: u8,
    #[serde(default)]
    pub(crate) tls: bool,
    /// Longest wait for an answer.
    #[serde(with = "duration", default = "default_response_timeout")]
    pub(crate) response_timeout: Duration,
}

/// The shared connection.
#[derive(Clone)]
pub(crate) struct RedisPool {
    connection: ConnectionManager,
    target: String,
}

impl RedisPool {
    pub(crate) async fn connect(
        config: &RedisConfig,
        application: &str,
        wait: &Wait<'_>,
    ) -> Result<Self, StartError> {
        let target = format!("Redis at {}:{}", config.host, config.port);
        let client = client(config, application).map_err(|error| {
            StartError::new(format!("cannot use the settings of {target}"))
                .caused_by(error)
                .configuration()
        })?;
        // A caller waits for a reconnection at most this long; further attempts belong to the next command.
        let manager = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(config.response_timeout));
        let connection = patiently(&target, wait, async || {
            ConnectionManager::new_with_config(client.clone(), manager.clone())
                .await
                .map_err(|error| refused(&error))
        })
        .await?;
        Ok(Self { connection, target })
    }

    pub(crate) fn connection(&self) -> &ConnectionManager {
        &self.connection
    }

    pub(crate) fn check(&self) -> Check {
        let Self { connection, target } = self.clone();
        Check::new("redis", move || {
            let (mut connection, target) = (connection.clone(), target.clone());
            async move {
                let ping = async |connection: &mut ConnectionManager| {
                    redis::cmd("PING").query_async::<()>(connection).await
                };
                // The first command after a restart of the server meets the dead connection and has it replaced.
                let answer = match ping(&mut connection).await {
                    Err(error) if error.is_connection_dropped() => ping(&mut connection).await,
                    answer => answer,
                };
                match answer {
                    Ok(()) => Ok(format!("{target} answers")),
                    Err(error) => Err(format!("{target}: {}", refused(&error).cause)),
                }
            }
        })
    }
}

impl fmt::Debug for RedisPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisPool")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

fn client(config: &RedisConfig, application: &str) -> Result<Client, RedisError> {
    let (host, port) = (config.host.clone(), config.port);
    let address = if config.tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let mut login = RedisConnectionInfo::default()
        .set_db(config.database.into())
        .set_lib_name(application, "");
    if let Some(user) = &config.user {
        login = login.set_username(user);
    }
    if let Some(password) = &config.password {
        login = login.set_password(password.expose());
    }
    Client::open(address.into_connection_info()?.set_redis_settings(login))
}

fn refused(error: &RedisError) -> Refused {
    if error.kind() == ErrorKind::AuthenticationFailed
        || matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
    {
        return Refused {
            cause: format!("authentication failed: {}", chain(error)),
            hint: Some("correct `redis.user` or `redis.password`"),
            is_final: true,
        };
    }
    if error.is_timeout() {
        return refusal(&std::io::ErrorKind::TimedOut.into());
    }
    if error.is_connection_refusal() {
        return refusal(&std::io::ErrorKind::ConnectionRefused.into());
    }
    Refused {
        cause: chain(error),
        hint: None,
        is_final: false,
    }
}

fn default_port() -> u16 {
    6379
}

fn default_response_timeout() -> Duration {
    Duration::from_secs(2)
}
