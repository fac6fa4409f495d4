//! Medians and percentiles, of whole numbers.

use std::time::Duration;

/// The value below which this share of the values lies: 500 per mille is the median. Zero where there are none.
pub(crate) fn at<T: Copy + Ord + Default>(values: &[T], per_mille: usize) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * per_mille / 1_000).copied().unwrap_or_default()
}

pub(crate) fn median<T: Copy + Ord + Default>(values: &[T]) -> T {
    at(values, 500)
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_few_and_many() {
        assert_eq!(median::<u64>(&[]), 0);
        assert_eq!(median(&[3, 1, 2]), 2);
        let hundred: Vec<u32> = (0..=100).collect();
        assert_eq!((at(&hundred, 990), at(&hundred, 1_000)), (99, 100));
    }
}
