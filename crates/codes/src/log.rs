//! The sender for development.

use std::io::{self, Write};

use doorbell_domain::ports::{BoxFuture, CodeMessage, CodeSender, SendFailure};

/// Writes each code as a line on standard output, for whoever sits before the terminal.
///
/// It is the one place that prints codes and phone numbers, which is why production refuses it. It does not go
/// through the log, so that no log filter hides it and no log collector gets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSender;

impl CodeSender for LogSender {
    fn send<'a>(&'a self, message: &'a CodeMessage) -> BoxFuture<'a, Result<(), SendFailure>> {
        Box::pin(async move {
            writeln!(io::stdout(), "{}", line(message)).map_err(|_| SendFailure("standard output is closed"))
        })
    }
}

fn line(message: &CodeMessage) -> String {
    let CodeMessage {
        phone,
        code,
        expires_at,
    } = message;
    let until = expires_at.to_datetime();
    format!(
        "code for {}: {} (valid until {} {:02}:{:02}:{:02} UTC)",
        phone.e164(),
        code.expose(),
        until.date(),
        until.hour(),
        until.minute(),
        until.second(),
    )
}

#[cfg(test)]
mod tests {
    use doorbell_domain::{Code, PhoneNumber, Timestamp};

    use super::*;

    #[test]
    fn the_line_says_who_what_and_until_when() {
        let message = CodeMessage {
            phone: PhoneNumber::from_parts(90, "5551234567").expect("well-formed"),
            code: Code::parse("012345").expect("digits"),
            expires_at: Timestamp::from_micros(1_790_000_000_000_000),
        };
        assert_eq!(
            line(&message),
            "code for +905551234567: 012345 (valid until 2026-09-21 14:13:20 UTC)"
        );
    }
}
