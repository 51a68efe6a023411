//! What a development server prints for whoever started it.

/// The README's first requests, ready to paste.
pub(crate) fn requests(url: &str) -> String {
    format!(
        r#"
Try next, in another terminal (the README's quick start has the rest):

  CODE=$(curl -s {url}/api/v1/auth/send-otp -H 'Content-Type: application/json' \
    -d '{{"countryCode":"90","phoneNumber":"5551234567"}}' | sed 's/.*"code":"\([0-9]*\)".*/\1/')

  TOKEN=$(curl -s {url}/api/v1/auth/verify-otp -H 'Content-Type: application/json' \
    -d '{{"countryCode":"90","phoneNumber":"5551234567","code":"'$CODE'"}}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')

  curl -s {url}/api/v1/notifications/device-token -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"token":"sample","platform":"ios","deviceId":"iphone-14-pro","timezone":"Europe/Istanbul","liveActivityPushToStartToken":"push_to_start_token_value"}}'
"#
    )
}
