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

#[cfg(test)]
mod tests {
    use super::*;

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
