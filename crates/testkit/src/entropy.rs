//! Randomness that is the same at every run and never repeats within one.

use std::sync::atomic::{AtomicU64, Ordering};

use doorbell_domain::Entropy;

/// Bytes from a counter, spread by `SplitMix64` so that they look like any others.
#[derive(Debug, Default)]
pub struct CountingEntropy(AtomicU64);

impl Entropy for CountingEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let count = self.0.fetch_add(1, Ordering::Relaxed);
            for (to, from) in chunk.iter_mut().zip(spread(count).to_be_bytes()) {
                *to = from;
            }
        }
    }
}

fn spread(count: u64) -> u64 {
    let z = count.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_never_repeats_and_every_run_is_the_same() {
        let draw = || -> Vec<[u8; 16]> {
            let entropy = CountingEntropy::default();
            let entropy: &dyn Entropy = &entropy;
            (0..100).map(|_| entropy.bytes()).collect()
        };
        let mut drawn = draw();
        assert_eq!(drawn, draw());
        drawn.sort_unstable();
        drawn.dedup();
        assert_eq!(drawn.len(), 100);
    }
}
