//! The sender for development.

use std::io::{self, Write};

use doorbell_domain::CodeDelivery;
use doorbell_domain::outbox::{SendFailure, SendOutcome};
use doorbell_domain::ports::{BoxFuture, CodeSender};

/// Writes each code as a line on standard output, for whoever sits before the terminal.
///
/// It is the one place that prints codes and phone numbers, which is why production refuses it. It does not go
/// through the log, so that no log filter hides it and no log collector gets it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogSender;

impl CodeSender for LogSender {
    fn send<'a>(&'a self, delivery: &'a CodeDelivery) -> BoxFuture<'a, SendOutcome> {
        Box::pin(async move {
            match writeln!(io::stdout(), "{}", line(delivery)) {
                Ok(()) => SendOutcome::Accepted,
                Err(_) => SendOutcome::Refused(SendFailure::Impossible("standard output is closed")),
            }
        })
    }
}

fn line(delivery: &CodeDelivery) -> String {
    let until = delivery.expires_at.to_datetime();
    format!(
        "code for {}: {} (valid until {} {:02}:{:02}:{:02} UTC)",
        delivery.phone.e164(),
        delivery.code.expose(),
        until.date(),
        until.hour(),
        until.minute(),
        until.second(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::delivery;

    #[test]
    fn the_line_says_who_what_and_until_when() {
        assert_eq!(
            line(&delivery()),
            "code for +905551234567: 012345 (valid until 2026-09-21 14:13:20 UTC)"
        );
    }
}
