//! Where the database is, and how long to wait for it.

/// What is asked of libpq unless the operator's own URL says otherwise: a database that does not answer must
/// be known within seconds, at the start and later.
const DEFAULTS: [(&str, &str); 6] = [
    ("connect_timeout", "2"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "5000"),
    ("fallback_application_name", "doorbell"),
];

/// `given`, a URL or a `key=value` string, with the defaults that it does not name itself.
pub(crate) fn with_defaults(given: &str) -> String {
    let is_url = given.contains("://");
    let query = given.split_once('?').map(|(_, query)| query);
    let names = |name: &str| {
        let settings: Vec<&str> = if is_url {
            query.unwrap_or_default().split('&').collect()
        } else {
            given.split_ascii_whitespace().collect()
        };
        settings
            .iter()
            .any(|setting| setting.split('=').next() == Some(name))
    };
    let mut whole = given.to_owned();
    let mut separator = match (is_url, query) {
        (true, None) => '?',
        (true, Some(_)) => '&',
        (false, _) => ' ',
    };
    for (name, value) in DEFAULTS {
        if !names(name) {
            whole.push(separator);
            whole.push_str(name);
            whole.push('=');
            whole.push_str(value);
            separator = if is_url { '&' } else { ' ' };
        }
    }
    whole
}

/// `message`, which may quote the connection string `given`, without the password in it.
pub(crate) fn without_password(message: &str, given: &str) -> String {
    let authority = given.split_once("://").map(|(_, rest)| rest).unwrap_or_default();
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    let before_host = user
        .and_then(|user| user.split_once(':'))
        .map(|(_, password)| password);
    let named = given
        .split([' ', '?', '&'])
        .filter_map(|setting| setting.strip_prefix("password="));
    let passwords = before_host.into_iter().chain(named);
    passwords
        .filter(|password| !password.is_empty())
        .fold(message.to_owned(), |message, password| {
            message.replace(password, "[redacted]")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_told() {
        for given in [
            "postgres://u:hush%zz@h/db",
            "postgres://u@h/db?sslmode=disable&password=hush%zz",
            "host=h password=hush%zz user=u",
        ] {
            let told = without_password("invalid percent-encoded token: \"hush%zz\"", given);
            assert_eq!(told, "invalid percent-encoded token: \"[redacted]\"", "{given}");
        }
        assert_eq!(without_password("refused", "postgres://u@h/db"), "refused");
        assert_eq!(without_password("refused", "postgres://u:@h/db"), "refused");
    }

    #[test]
    fn what_the_operator_says_stays() {
        let url = with_defaults("postgres://u@h/db?connect_timeout=30");
        assert!(
            url.starts_with("postgres://u@h/db?connect_timeout=30&keepalives_idle=5&"),
            "{url}"
        );
        assert_eq!(url.matches("connect_timeout").count(), 1);
        let url = with_defaults("postgres://u@h/db");
        assert!(url.starts_with("postgres://u@h/db?connect_timeout=2&"), "{url}");
        let pairs = with_defaults("host=/run tcp_user_timeout=1");
        assert!(
            pairs.starts_with("host=/run tcp_user_timeout=1 connect_timeout=2 "),
            "{pairs}"
        );
        assert_eq!(pairs.matches("tcp_user_timeout").count(), 1);
    }
}
