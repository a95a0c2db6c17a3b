//! The same report as `application/health+json`, after draft-inadarei-api-health-check-06.

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, Serializer};

use super::{Report, Status, identity::Identity};
use crate::{output, result::CheckResult};

impl Report {
    /// The report as `application/health+json`, after draft-inadarei-api-health-check-06.
    ///
    /// `version` is the version of the service, `releaseId` its commit. A check that has not run yet has no
    /// `observedValue`. `output` is there only for what does not pass.
    ///
    /// ```json
    /// {
    ///   "status": "fail",
    ///   "version": "1.4.2",
    ///   "releaseId": "3f9c2ab",
    ///   "serviceId": "orders",
    ///   "description": "orders on web-1 in realm prod",
    ///   "output": "postgres: connection refused",
    ///   "checks": {
    ///     "postgres:responseTime": [
    ///       {
    ///         "componentType": "component",
    ///         "observedValue": 1.25,
    ///         "observedUnit": "ms",
    ///         "status": "fail",
    ///         "time": "2014-11-24T19:14:20.250Z",
    ///         "output": "connection refused"
    ///       }
    ///     ]
    ///   }
    /// }
    /// ```
    pub fn health_json<'a>(&'a self, identity: &'a Identity) -> impl Serialize {
        Body {
            status: self.status,
            version: &identity.version,
            release_id: &identity.commit,
            service_id: &identity.service,
            description: Description(identity),
            output: self.failures(),
            checks: Checks(&self.results),
        }
    }

    /// What does not pass, in one line; none while all is well.
    fn failures(&self) -> Option<String> {
        if self.status == Status::Pass {
            return None;
        }
        let failures: Vec<String> = self
            .results
            .iter()
            .filter(|result| !result.passed)
            .map(|result| format!("{}: {}", result.name, result.output))
            .collect();
        Some(output::limited(&failures.join("; ")))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    status: Status,
    version: &'a str,
    release_id: &'a str,
    service_id: &'a str,
    description: Description<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    checks: Checks<'a>,
}

struct Description<'a>(&'a Identity);

impl Serialize for Description<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Identity {
            service,
            hostname,
            realm,
            ..
        } = self.0;
        serializer.collect_str(&format_args!("{service} on {hostname} in realm {realm}"))
    }
}

struct Checks<'a>(&'a [CheckResult]);

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // The draft wants an array per key, one element for each node. A check asks one.
        serializer.collect_map(
            self.0
                .iter()
                .map(|result| (Key(&result.name), [Measurement::new(result)])),
        )
    }
}

struct Key<'a>(&'a str);

impl Serialize for Key<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{}:responseTime", self.0))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measurement<'a> {
    component_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    observed_unit: Option<&'static str>,
    status: Status,
    time: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a str>,
}

impl<'a> Measurement<'a> {
    fn new(result: &'a CheckResult) -> Self {
        Self {
            component_type: "component",
            observed_value: result.response_time.map(milliseconds),
            observed_unit: result.response_time.map(|_| "ms"),
            status: result.status(),
            time: Time(result.timestamp),
            output: (!result.passed).then_some(&*result.output),
        }
    }
}

struct Time(SystemTime);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The formatter panics on times before 1970, which a machine without a battery clock does show.
        humantime::format_rfc3339_millis(self.0.max(UNIX_EPOCH)).fmt(f)
    }
}

/// Three decimals: whole microseconds.
fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}
