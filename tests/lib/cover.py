# SPDX-License-Identifier: BSD-3-Clause
"""Covering arrays: few cases in which every allowed combination of the values of any 2 (or 3) factors occurs.

Greedy and without chance: the same factors always give the same cases, so that a case's number means something.
"""
import itertools


class Cover:
    """Cover(factors, rules).cases(2)

    factors   {name: values}
    rules     (names, function): the function takes the values of these factors and returns whether such a case may be.
              It is asked only when all of them are decided
    """

    def __init__(self, factors, rules=()):
        self.factors = {name: tuple(values) for name, values in factors.items()}
        self.names = list(self.factors)
        self._rules = {name: [] for name in self.names}
        for names, function in rules:
            for name in names:
                self._rules[name].append((names, function))

    def may(self, case, name):
        """Whether the rules that look at `name` allow what is decided in `case`."""
        return all(function(*(case[other] for other in names)) for names, function in self._rules[name]
                   if all(other in case for other in names))

    def allowed(self, case):
        """Whether a case, or the part of it that is decided, breaks no rule."""
        return all(self.may(case, name) for name in case)

    def complete(self, part):
        """A whole allowed case that contains `part`, or None."""
        if not self.allowed(part):
            return None
        # Undecided factors that no rule looks at cannot fail.
        open_names = [name for name in self.names if name not in part]
        open_names.sort(key=lambda name: not self._rules[name])
        return self._search(dict(part), open_names)

    def _search(self, case, open_names):
        if not open_names:
            return {name: case[name] for name in self.names}
        name, *rest = open_names
        for value in self.factors[name]:
            case[name] = value
            if self.may(case, name):
                found = self._search(case, rest)
                if found:
                    return found
        del case[name]
        return None

    def combinations(self, strength):
        """Every combination of `strength` factors' values that some allowed case has, as a tuple of pairs."""
        for names in itertools.combinations(self.names, strength):
            for values in itertools.product(*(self.factors[name] for name in names)):
                combination = tuple(zip(names, values))
                if self.complete(dict(combination)):
                    yield combination

    def cases(self, strength, seeds=()):
        """The cases: first those of `seeds`, then as many as it takes."""
        missing = dict.fromkeys(self.combinations(strength))
        cases = []
        for seed in seeds:
            case = self.complete(seed)
            if case is None:
                raise ValueError(f"no such case is allowed: {seed}")
            cases.append(case)
            self._strike(missing, case, strength)
        while missing:
            case = self._fill(dict(next(iter(missing))), missing, strength)
            cases.append(case)
            self._strike(missing, case, strength)
        return cases

    def _strike(self, missing, case, strength):
        for names in itertools.combinations(self.names, strength):
            missing.pop(tuple((name, case[name]) for name in names), None)

    def _fill(self, case, missing, strength):
        """Decide one factor after the other, those with many values first, each so that it takes the most."""
        for name in sorted(self.names, key=lambda name: -len(self.factors[name])):
            if name in case:
                continue
            best = None
            for value in self.factors[name]:
                trial = {**case, name: value}
                if not self.complete(trial):
                    continue
                gain = self._gain(trial, name, missing, strength)
                if best is None or gain > best[0]:
                    best = gain, value
            case[name] = best[1]
        return {name: case[name] for name in self.names}

    def _gain(self, case, name, missing, strength):
        decided = [other for other in self.names if other in case and other != name]
        order = {other: index for index, other in enumerate(self.names)}
        gain = 0
        for others in itertools.combinations(decided, strength - 1):
            names = sorted((name, *others), key=order.get)
            gain += tuple((one, case[one]) for one in names) in missing
        return gain
