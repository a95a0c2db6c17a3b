//! `NAME healthcheck`: the running service's own probe, so that an image needs no curl.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::ExitCode;
use std::time::Duration;

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Limited};
use hyper_util::rt::TokioIo;
use smart_config::Loader;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::command_line::HealthcheckOptions;
use crate::error::chain;
use crate::program::complain;
use crate::settings::HttpConfig;

/// Reads the section of the listener and nothing else, so it works where secrets are not to be had.
pub(crate) fn run(loader: Loader, options: &HealthcheckOptions) -> ExitCode {
    let http: HttpConfig = match loader.section("http") {
        Ok(http) => http,
        Err(faults) => {
            complain(&faults);
            return ExitCode::from(78);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format_args!("cannot ask for health: {error}"));
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(ask_until_green(&http, options.wait)) {
        Ok(health) => health.print(options.json),
        Err(why) => {
            complain(&why);
            ExitCode::FAILURE
        }
    }
}

/// One answer of the health endpoint.
struct Answer {
    status: StatusCode,
    body: String,
}

/// Asks until the answer is green or the time is up; the last answer counts.
async fn ask_until_green(http: &HttpConfig, wait: Duration) -> Result<Answer, String> {
    let until = Instant::now() + wait;
    loop {
        let answer = match tokio::time::timeout(PATIENCE, ask(http)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!(
                "no answer from {}:{} within {} s",
                host(http),
                http.port,
                PATIENCE.as_secs()
            )),
        };
        let green = answer.as_ref().is_ok_and(Answer::is_green);
        if green || Instant::now() + PAUSE > until {
            return answer;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn ask(http: &HttpConfig) -> Result<Answer, String> {
    let (host, port) = (host(http), http.port);
    let failed =
        |error: &dyn std::fmt::Display| format!("cannot ask {host}:{port} for its health: {error}");
    let stream = TcpStream::connect((host.as_str(), port))
        .await
        .map_err(|error| failed(&error))?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| failed(&chain(&error)))?;
    let request = Request::get("/healthcheck")
        .header(header::HOST, "localhost")
        .body(Body::empty())
        .map_err(|error| failed(&error))?;
    let exchange = async {
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| failed(&chain(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), LARGEST_ANSWER)
            .collect()
            .await
            .map_err(|error| failed(&error))?;
        Ok(Answer {
            status,
            body: String::from_utf8_lossy(&body.to_bytes()).into_owned(),
        })
    };
    let mut exchange = std::pin::pin!(exchange);
    tokio::select! {
        answer = exchange.as_mut() => answer,
        _ = connection => exchange.await,
    }
}

impl Answer {
    /// Runscope's rule: the code and the word.
    fn is_green(&self) -> bool {
        self.status == StatusCode::OK
            && self
                .field("status")
                .is_some_and(|status| status == "success")
    }

    fn field(&self, name: &str) -> Option<serde_json::Value> {
        serde_json::from_str::<serde_json::Value>(&self.body)
            .ok()?
            .get_mut(name)
            .map(serde_json::Value::take)
    }

    fn print(self, json: bool) -> ExitCode {
        let text = if json {
            format!("{}\n", self.body)
        } else {
            self.summary()
        };
        // A reader that closes the pipe early is no failure.
        let _ = std::io::stdout().lock().write_all(text.as_bytes());
        if self.is_green() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    /// A line for the whole and one for each check.
    fn summary(&self) -> String {
        let Some(serde_json::Value::Array(results)) = self.field("results") else {
            return format!(
                "{}: this is no health document; does another program listen there?\n",
                self.status
            );
        };
        let word = if self.is_green() {
            "success"
        } else {
            "failure"
        };
        let text = |result: &serde_json::Value, field: &str| {
            result[field].as_str().unwrap_or("?").to_owned()
        };
        let line = |result: &serde_json::Value| {
            let mark = if result["passed"] == true {
                "pass"
            } else {
                "FAIL"
            };
            format!(
                "  {mark}  {}: {}\n",
                text(result, "checker"),
                text(result, "output")
            )
        };
        std::iter::once(format!("{word} ({})\n", self.status.as_u16()))
            .chain(results.iter().map(line))
            .collect()
    }
}

/// Where to ask a service that listens on this host: on all interfaces means on this one too.
fn host(http: &HttpConfig) -> String {
    match http.host.parse::<IpAddr>() {
        Ok(address) if address.is_unspecified() && address.is_ipv4() => {
            Ipv4Addr::LOCALHOST.to_string()
        }
        Ok(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        _ => http.host.clone(),
    }
}

/// Docker and kubelet give a probe at least a second; health is read from memory and needs far less.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(25);
const LARGEST_ANSWER: usize = 1024 * 1024;
