//! A planted secret is in no output, whatever else is wrong.

use smart_config::LoadError;

use crate::case::{Case, Settings};

const PLANTED: &str = "hunter2-planted";

fn check_hidden(case: &Case) {
    let mut outputs = vec![format!("{:?}", case.loader())];
    let told = |error: LoadError| {
        let faults: String = error
            .faults()
            .iter()
            .map(|fault| format!("{fault} {fault:?}"))
            .collect();
        format!("{error} {error:?} {faults}")
    };
    match case.loader().load::<Settings>() {
        Ok(loaded) => outputs.push(format!(
            "{:?} {:?}",
            loaded.entries(),
            loaded.secret_values()
        )),
        Err(error) => outputs.push(told(error)),
    }
    match case.loader().check::<Settings>() {
        Ok(checked) => outputs.push(format!("{checked:?}")),
        Err(error) => outputs.push(told(error)),
    }
    for output in outputs {
        assert!(!output.contains(PLANTED), "{output}");
    }
}

/// Every way a secret gets in, for a secret key.
fn cases() -> Vec<Case> {
    let postgres = "[postgres]\nhost = 'db'\nport = 5432\nuser = 'me'\npassword = ";
    vec![
        Case::prod().file("default.toml", format!("{postgres}'{PLANTED}'")),
        Case::prod()
            .file("default.toml", format!("{postgres}''"))
            .variable("SMART__POSTGRES__PASSWORD", PLANTED),
        Case::prod()
            .file("default.toml", format!("{postgres}''"))
            .set(&format!("postgres.password={PLANTED}")),
        Case::prod()
            .file("default.toml", format!("{postgres}''"))
            .overridden("postgres.password", PLANTED),
        Case::prod()
            .file("default.toml", format!("{postgres}''"))
            .file("run/postgres.password", PLANTED)
            .secret_directory(),
        Case::local()
            .file("default.toml", format!("{postgres}''"))
            .file("secrets.toml", format!("postgres.password = '{PLANTED}'"))
            .secret_file(),
        Case::prod()
            .file("default.toml", format!("{postgres}''"))
            .file("local.toml", format!("{postgres}'{PLANTED}'"))
            .variable("SMART__POSTGRES__PASSWORD", PLANTED),
        Case::prod().file("default.toml", format!("{postgres}{{ a = '{PLANTED}' }}")),
        Case::prod().file("default.toml", format!("{postgres}['{PLANTED}']")),
    ]
}

#[test]
fn planted_secret_is_in_no_output() {
    for case in cases() {
        check_hidden(&case);
    }
}

#[test]
fn planted_secret_is_in_no_output_beside_other_faults() {
    for fault in [
        "http.prot=1",
        "http.port=x",
        "postgres.port=x",
        "postgres=x",
        "nothing",
        "app.level=x",
    ] {
        for case in cases() {
            check_hidden(&case.set(fault));
        }
    }
    for case in cases() {
        check_hidden(&case.file("prod.toml", "= =\n[http]\nport = ''"));
    }
}

#[test]
fn secret_in_an_ordinary_key_is_hidden_when_a_source_filled_it() {
    for key in [
        "http.port",
        "http.trace",
        "service.drain",
        "http.body_limit",
        "app.level",
        "app.ratio",
        "app.tags",
        "app.rules",
        "app.limits",
        "app.note",
        "http.prot",
        "postgres",
    ] {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        let header = if table.is_empty() {
            String::new()
        } else {
            format!("[{table}]\n")
        };
        let case = Case::prod()
            .file("default.toml", format!("{header}{name} = ''"))
            .file(&format!("run/{key}"), PLANTED)
            .secret_directory();
        check_hidden(&case);
    }
}
