//! A dependency that a test turns on and off, and that counts how often it was asked.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use healthcheck::Check;

#[derive(Clone)]
pub(crate) struct Switch {
    on: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Switch {
    pub(crate) fn on() -> Self {
        Self::new(true)
    }

    pub(crate) fn off() -> Self {
        Self::new(false)
    }

    fn new(on: bool) -> Self {
        Self {
            on: Arc::new(AtomicBool::new(on)),
            asked: Arc::default(),
        }
    }

    pub(crate) fn turn_on(&self) {
        self.on.store(true, SeqCst);
    }

    pub(crate) fn turn_off(&self) {
        self.on.store(false, SeqCst);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }

    /// A check that answers after `delay` of paused time.
    pub(crate) fn check(&self, name: &str, delay: Duration) -> Check {
        let switch = self.clone();
        Check::new(name, move || {
            let switch = switch.clone();
            async move {
                switch.asked.fetch_add(1, SeqCst);
                tokio::time::sleep(delay).await;
                if switch.on.load(SeqCst) {
                    Ok("answered".to_owned())
                } else {
                    Err(io::Error::from(io::ErrorKind::ConnectionRefused))
                }
            }
        })
    }
}
