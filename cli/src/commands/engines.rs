//! `smart engines`: the PostgreSQL and Redis of one service on this machine, for as long as the command runs.

use std::{env, path::Path, process::ExitCode, thread, time::Duration};

use local_engines::{Postgres, Redis};

use crate::{
    engine_fault::EngineFault,
    failure::Failure,
    interrupt::Interrupt,
    local_config::{LocalEngines, PostgresTarget, RedisTarget, repository_around},
    output::{Printer, Style},
};

pub(crate) fn run(mut printer: Printer) -> ExitCode {
    match serve(&mut printer) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            printer.failure(&failure);
            failure.exit_code()
        }
    }
}

fn serve(printer: &mut Printer) -> Result<(), Failure> {
    let here = env::current_dir()
        .map_err(|error| Failure::bad_input(format!("cannot tell the working folder: {error}")))?;
    let repository = repository_around(&here).ok_or_else(|| {
        Failure::bad_input(format!(
            "`{}` is not inside a generated service",
            here.display()
        ))
        .hint("go into the folder of a service; it has a file `.smart/manifest.toml`")
    })?;
    let wanted = LocalEngines::read(&repository)?;
    if wanted == LocalEngines::default() {
        return Err(Failure::bad_input("the service needs no engines: `config/local.toml` has neither `[postgres]` nor `[redis]`")
            .hint("`cargo run` starts it as it is"));
    }
    // Before anything is started, so that Ctrl-C always stops in order.
    let interrupt = Interrupt::install()
        .map_err(|error| Failure::not_done(format!("cannot watch for signals: {error}")))?;

    let data = repository.join(".smart/data");
    let mut postgres = wanted
        .postgres
        .as_ref()
        .map(|target| start_postgres(target, &data))
        .transpose()?;
    let mut redis = wanted
        .redis
        .as_ref()
        .map(|target| start_redis(target, &data))
        .transpose()?;

    let mut row = |engine: &str, text: String| {
        let engine = printer.paint(Style::Bold, &format!("{engine:<10}"));
        printer.line(format!("{engine}  {text}"));
    };
    if let (Some(target), Some(running)) = (&wanted.postgres, &postgres) {
        let PostgresTarget { user, database, .. } = target;
        row(
            "PostgreSQL",
            format!(
                "127.0.0.1:{}  role `{user}`, database `{database}`",
                running.port()
            ),
        );
        row("", format!("data in {}", running.folder().display()));
    }
    if let Some(running) = &redis {
        row("Redis", format!("127.0.0.1:{}", running.port()));
        row("", format!("data in {}", running.folder().display()));
    }
    printer.line(
        "running; start the service with `cargo run` in another terminal; Ctrl-C stops the engines",
    );

    while !interrupt.requested() {
        let gone = match (&postgres, &redis) {
            (Some(postgres), _) if !postgres.is_running() => {
                Some(("PostgreSQL", postgres.folder()))
            }
            (_, Some(redis)) if !redis.is_running() => Some(("Redis", redis.folder())),
            _ => None,
        };
        if let Some((engine, folder)) = gone {
            return Err(Failure::not_done(format!("{engine} ended by itself"))
                .hint(format!("its log is in {}", folder.display())));
        }
        thread::sleep(POLL);
    }
    printer.line("stopping");
    if let Some(postgres) = &mut postgres {
        postgres.stop();
    }
    if let Some(redis) = &mut redis {
        redis.stop();
    }
    printer.line("stopped; the data stay for the next time");
    Ok(())
}

fn start_postgres(target: &PostgresTarget, data: &Path) -> Result<Postgres, Failure> {
    let postgres = Postgres::builder()
        .folder(data.join("postgres"))
        .port(target.port)
        .start();
    let postgres = postgres.map_err(|error| EngineFault::from(error).into_failure())?;
    postgres
        .address()
        .create_database(&target.database, &target.user, &target.password)
        .map_err(|error| EngineFault::from(error).into_failure())?;
    Ok(postgres)
}

fn start_redis(target: &RedisTarget, data: &Path) -> Result<Redis, Failure> {
    let mut redis = Redis::builder()
        .folder(data.join("redis"))
        .port(target.port);
    if let Some(password) = &target.password {
        redis = redis.password(password);
    }
    redis
        .start()
        .map_err(|error| EngineFault::from(error).into_failure())
}

/// Short enough that Ctrl-C feels immediate.
const POLL: Duration = Duration::from_millis(50);
