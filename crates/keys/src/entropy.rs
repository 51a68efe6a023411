//! The machine's randomness.

use doorbell_domain::Entropy;

/// The operating system's random number generator. AWS-LC's own would first measure the processor's jitter for as long as all
/// else that a start does.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::expect_used,
        reason = "a server without randomness must stop, not go on with zeros"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("the operating system gives randomness");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fills_every_byte_and_never_the_same_way() {
        let draw = || <dyn Entropy>::bytes::<64>(&SystemEntropy);
        let draws: Vec<_> = (0..64).map(|_| draw()).collect();
        for at in 0..64 {
            assert!(
                draws.iter().any(|draw| draw[at] != 0),
                "byte {at} was never written"
            );
        }
        assert_ne!(draws[0], draws[1]);
    }
}
