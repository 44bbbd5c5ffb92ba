# SPDX-License-Identifier: BSD-3-Clause
"""What is said of a row of values: medians, quantiles, spread."""
import statistics


def quantile(values, q):
    """The value below which a share q of the values lies (no interpolation)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def spread(values):
    """Half of the distance between the quartiles, in percent of the median."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return 0.0
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return 100 * (high - low) / 2 / middle


def summary(values):
    """Median and extremes for the JSON file."""
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "spread_percent": round(spread(values), 1), "runs": list(values)}


def ratios(ours, peer):
    """Of values that were measured turn by turn, the first by the second; turns without a value in both are left out."""
    return [one / other for one, other in zip(ours, peer) if one and other]
