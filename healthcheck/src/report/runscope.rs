//! The body of Runscope's `/healthcheck`, field by field, plus the reserved key `service`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Serialize, Serializer};

use super::{Report, Status, identity::Identity};
use crate::result::CheckResult;

impl Report {
    /// The body of `/healthcheck` in the shape that Runscope's library made popular, as `application/json`.
    ///
    /// Times are Unix seconds and durations are seconds, both with a fraction of at most six decimals. `response_time`
    /// is 0 for a check that has not run yet. `service.uptime` is in whole seconds.
    ///
    /// ```json
    /// {
    ///   "hostname": "web-1",
    ///   "status": "success",
    ///   "timestamp": 1416856465.5,
    ///   "results": [
    ///     {
    ///       "checker": "postgres",
    ///       "output": "answered",
    ///       "passed": true,
    ///       "timestamp": 1416856460.25,
    ///       "expires": 1416856487.25,
    ///       "response_time": 0.00125
    ///     }
    ///   ],
    ///   "service": {
    ///     "name": "orders",
    ///     "version": "1.4.2",
    ///     "commit": "3f9c2ab",
    ///     "realm": "prod",
    ///     "template_version": "0.1.0",
    ///     "uptime": 3600
    ///   }
    /// }
    /// ```
    pub fn runscope<'a>(&'a self, identity: &'a Identity) -> impl Serialize {
        Body {
            hostname: &identity.hostname,
            status: match self.status {
                Status::Pass | Status::Warn => "success",
                Status::Fail => "failure",
            },
            timestamp: unix_seconds(self.timestamp),
            results: Results(&self.results),
            service: Service {
                name: &identity.service,
                version: &identity.version,
                commit: &identity.commit,
                realm: &identity.realm,
                template_version: identity.template_version.as_deref(),
                uptime: identity.uptime(self.timestamp).as_secs(),
            },
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    hostname: &'a str,
    status: &'static str,
    timestamp: f64,
    results: Results<'a>,
    service: Service<'a>,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    version: &'a str,
    commit: &'a str,
    realm: &'a str,
    template_version: Option<&'a str>,
    uptime: u64,
}

struct Results<'a>(&'a [CheckResult]);

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(|result| Entry {
            checker: &result.name,
            output: &result.output,
            passed: result.passed,
            timestamp: unix_seconds(result.timestamp),
            expires: unix_seconds(result.expires),
            response_time: seconds(result.response_time.unwrap_or_default()),
        }))
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    checker: &'a str,
    output: &'a str,
    passed: bool,
    timestamp: f64,
    expires: f64,
    response_time: f64,
}

fn unix_seconds(time: SystemTime) -> f64 {
    seconds(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Six decimals: as many as a float still holds next to the seconds since 1970.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
