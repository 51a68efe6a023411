//! What keeps a browser from making more of an answer than it is (OWASP REST Security Cheat Sheet).

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};

/// Nothing may be loaded by what is no page, and nothing may frame it. Pages have a policy of their own.
const NO_PAGE: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// For a year, and for this host alone: what its neighbours do is not this server's to say.
const HTTPS_ALONE: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Sets the headers that protect; `https_alone` tells browsers to come by https from now on (RFC 6797 §6.1).
pub(crate) fn protect(headers: &mut HeaderMap, https_alone: bool) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, NO_PAGE);
    }
    if https_alone {
        headers.insert(STRICT_TRANSPORT_SECURITY, HTTPS_ALONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected(headers: &mut HeaderMap, https_alone: bool) -> Vec<(String, String)> {
        protect(headers, https_alone);
        let mut named: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().expect("text").to_owned()))
            .collect();
        named.sort();
        named
    }

    #[test]
    fn only_production_asks_for_https() {
        let name = "strict-transport-security";
        let names = |https_alone| -> Vec<String> {
            let headers = protected(&mut HeaderMap::new(), https_alone);
            headers.into_iter().map(|(name, _)| name).collect()
        };
        assert!(!names(false).iter().any(|known| known == name));
        assert!(names(true).iter().any(|known| known == name));
        assert_eq!(names(true).len(), 5);
    }

    #[test]
    fn a_page_keeps_the_policy_that_it_brings() {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("its own"));
        let headers = protected(&mut headers, false);
        assert!(headers.contains(&("content-security-policy".to_owned(), "its own".to_owned())));
    }
}
