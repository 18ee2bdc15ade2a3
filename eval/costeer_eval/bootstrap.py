"""Confidence intervals by the percentile bootstrap (Efron 1979), over items."""
import numpy

RESAMPLES = 10_000
LEVEL = 0.95


def interval(values: list[float], seed: int = 0) -> tuple[float, float, float]:
    """Mean and its interval. Values are one for each item; a difference of two systems by item gives a paired interval."""
    data = numpy.asarray(values, dtype=float)
    generator = numpy.random.default_rng(seed)
    # In slices, which bound the memory.
    means = [data[generator.integers(len(data), size=(500, len(data)))].mean(axis=1) for _ in range(RESAMPLES // 500)]
    low, high = numpy.quantile(numpy.concatenate(means), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(data.mean()), float(low), float(high)
