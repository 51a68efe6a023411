//! What a development server prints for whoever started it.

/// The README's first requests, ready to paste.
pub(crate) fn requests(url: &str) -> String {
    format!(
        r#"
Try next, in another terminal (the README's first requests are the rest), or open {url}/docs:

  CODE=$(curl -s {url}/api/v1/auth/send-otp -H 'Content-Type: application/json' \
    -d '{{"countryCode":"90","phoneNumber":"5559876543"}}' | sed -n 's/.*"code":"\([0-9]*\)".*/\1/p')

  TOKEN=$(curl -s {url}/api/v1/auth/verify-otp -H 'Content-Type: application/json' \
    -d '{{"countryCode":"90","phoneNumber":"5559876543","code":"'$CODE'"}}' | sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p')

  curl -s {url}/api/v1/notifications/device-token -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"token":"sample","platform":"ios","deviceId":"iphone-14-pro","timezone":"Europe/Istanbul","liveActivityPushToStartToken":"push_to_start_token_value"}}'
"#
    )
}
