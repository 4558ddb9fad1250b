"""The catalog of models, crates/llm-exe/data/catalog.json, and the table of prices made from it.

The catalog has a row for each model in the packages of model_packages.py. A table [[model]] of
models.toml replaces fields of rows, or adds rows.
"""

import datetime
import json
import re
from decimal import Decimal, InvalidOperation

# The fields of [[model]], and the fields of the catalog.
FIELDS = {
    "context": "context",
    "max_output": "maxOutput",
    "min_cache": "minCache",
    "media": "media",
    "default_effort": "defaultEffort",
    "ends": "ends",
    "successor": "successor",
    "prices": "prices",
}
PART_FIELDS = {
    "input": "input",
    "cached_input": "cachedInput",
    "cache_write": "cacheWrite",
    "cache_write_long": "cacheWriteLong",
    "output": "output",
}
PRICE_FIELDS = PART_FIELDS | {"from": "from", "factors": "factors", "above": "above"}
ABOVE_FIELDS = PART_FIELDS | {"tokens": "tokens"}
PARTS = ["input", "cachedInput", "cacheWrite", "cacheWriteLong", "output"]
# The tiers of service, in the order of `Factors` in the Rust code.
TIERS = ["batch", "flex", "priority", "ultrafast", "fast", "us"]
# The order of the providers in the Rust table.
PROVIDERS = ["openai", "anthropic", "google", "xai", "deepseek", "amazon"]
# The value of a part that has no price of its own.
UNKNOWN = "u32::MAX"
# Prices are stored as trillionths of a dollar per token, which are millionths per million tokens.
UNIT = 1_000_000


class Invalid(Exception):
    """A value in the data is not valid."""


def override_rows(tables):
    """Returns the rows of the tables [[model]] with the names of the catalog's fields."""
    rows = []
    for table in tables:
        table = dict(table)
        models, provider = table.pop("models", None), table.pop("provider", None)
        try:
            rows += override_table(table, provider, models)
        except Invalid as error:
            raise Invalid(f"[[model]] {models}: {error}") from error
    return rows


def override_table(table, provider, models):
    if provider not in PROVIDERS:
        raise Invalid(f"provider: expected one of {', '.join(PROVIDERS)}, got {provider!r}")
    if not isinstance(models, list) or not models or not all(is_name(name) for name in models):
        raise Invalid("models: expected a list of names")
    source, date = table.pop("source", None), table.pop("date", None)
    if not source or not isinstance(source, str):
        raise Invalid("source: expected the source of the facts")
    if not isinstance(date, datetime.date):
        raise Invalid("date: expected the date on which the source was read")
    row = rename(table, FIELDS, "[[model]]")
    if "prices" in row:
        if not isinstance(row["prices"], list) or not row["prices"]:
            raise Invalid("prices: expected a list of tables")
        row["prices"] = [override_price(price) for price in row["prices"]]
    return [
        {"provider": provider, "model": model, "source": source, "date": date.isoformat()} | row
        for model in models
    ]


def is_name(name):
    return isinstance(name, str) and re.fullmatch(r"[!-~]+", name) and "*" not in name


def to_json(value):
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def override_price(price):
    row = rename(price, PRICE_FIELDS, "prices")
    if not isinstance(price.get("from", datetime.date.min), datetime.date):
        raise Invalid(f"prices: from: expected a date, got {price['from']!r}")
    tiers = row.get("above", [])
    if not isinstance(tiers, list):
        raise Invalid("above: expected a list of tables")
    if tiers:
        row["above"] = [rename(tier, ABOVE_FIELDS, "above") for tier in tiers]
    factors = row.get("factors", {})
    rename(factors, {tier: tier for tier in TIERS}, "factors")
    picodollars(row, "input"), picodollars(row, "output")
    return row


def rename(table, names, place):
    """Returns a table of models.toml with the names of the catalog's fields."""
    if not isinstance(table, dict):
        raise Invalid(f"{place}: expected a table, got {table!r}")
    unknown = ", ".join(sorted(set(table) - set(names)))
    if unknown:
        raise Invalid(f"{place}: unknown fields: {unknown}")
    return {names[name]: to_json(value) for name, value in table.items()}


def merge(catalog, overrides):
    """Replaces fields of the rows by overrides, and adds rows. A row states which of its fields are
    overridden, so that a removed override is detected, and in `packages` the source of the others.
    """
    rows = {(row["provider"], row["model"]): row for row in catalog["models"]}
    current = {(row["provider"], row["model"]): set(row) for row in overrides}
    for key, row in rows.items():
        removed = set(row.get("overrides", [])) - current.get(key, set())
        if removed:
            raise Invalid(
                f"{key[0]} {key[1]}: {', '.join(sorted(removed))} is not overridden any more; run "
                "scripts/models --fetch"
            )
    for override in overrides:
        key = (override["provider"], override["model"])
        marks = {"overrides": sorted(set(override) - {"provider", "model", "source", "date"})}
        row = rows.get(key)
        if row is None or row.get("added"):
            rows[key] = override | marks | {"added": True}
        else:
            packages = row.get("packages", row["source"])
            marks |= {"packages": packages, "source": f"{override['source']}; {packages}"}
            # The date is that of the price.
            if "prices" not in override:
                marks["date"] = row["date"]
            rows[key] = row | override | marks
            # The override decides.
            if "prices" in override:
                rows[key].pop("disagrees", None)
    models = sorted(rows.values(), key=lambda row: (row["provider"], row["model"]))
    return catalog | {"models": models}


def write_catalog(catalog):
    """Returns the file, in which each model has a line."""
    lines = [json.dumps(row, ensure_ascii=False) for row in catalog["models"]]
    return (
        '{\n"packages": '
        + json.dumps(catalog["packages"])
        + ',\n"models": [\n'
        + ",\n".join(lines)
        + "\n]\n}\n"
    )


def picodollars(price, part):
    """Returns a part of a price as an integer, or None if there is no such part."""
    value = price.get(part)
    if value is None:
        if part in ("input", "output"):
            raise Invalid(f"prices: {part} is missing")
        return None
    try:
        exact = Decimal(value) * UNIT if isinstance(value, str) else None
    except InvalidOperation:
        exact = None
    if exact is None or exact != exact.to_integral_value() or not 0 <= exact < 2**32 - 1:
        raise Invalid(
            f"prices: {part}: expected a string with USD per million tokens and at most six "
            f"decimal places, got {value!r}"
        )
    return int(exact)


def percent(factors, tier):
    value = factors.get(tier)
    if value is None:
        return 0
    try:
        exact = Decimal(value) * 100
    except (InvalidOperation, TypeError):
        exact = Decimal("NaN")
    if exact.is_nan() or not 0 < exact <= 10_000 or exact != exact.to_integral_value():
        raise Invalid(f"factors: {tier}: expected whole percents, such as \"0.5\", got {value!r}")
    return int(exact)


def number_of(date):
    """20261201 for 2026-12-01, or 0 for no date."""
    return int(date.replace("-", "")) if date else 0


def without_date(model):
    return re.sub(r"(-\d{8}|-\d{4}-\d{2}-\d{2}|@\d{8})$", "", model)


def price_lines(price):
    """Yields the part of a price for small prompts, then those for larger ones."""
    base = {name: price[name] for name in PARTS if name in price}
    yield 0, base
    for above in price.get("above", []):
        tokens = above.get("tokens")
        if not isinstance(tokens, int) or not 0 < tokens < 2**32:
            raise Invalid(f"above: expected a number of tokens, got {tokens!r}")
        yield tokens, base | {name: above[name] for name in PARTS if name in above}


def write_prices(catalog):
    """Returns the Rust code of the price table."""
    names, prices, factors, off_peaks = [], [], [], [(100, 0)]
    for provider in PROVIDERS:
        rows = [row for row in catalog["models"] if row["provider"] == provider]
        known = {row["model"]: row.get("prices") for row in rows if row.get("prices")}
        kept = []
        for row in rows:
            model = row["model"]
            base = without_date(model)
            # A look-up ignores the date in a name, so a dated name needs no row of its own.
            if model not in known or base != model and known.get(base) == known[model]:
                continue
            kept.append(model)
            index = sum(len(others) for _, others in names) + len(kept) - 1
            try:
                prices += price_rows(row, index, factors, off_peaks)
            except Invalid as error:
                raise Invalid(f"{provider} {model}: {error}") from error
        names.append((provider, kept))
    return rust_code(catalog, names, prices, factors, off_peaks)


def price_rows(row, index, factors, off_peaks):
    lines = []
    for price in sorted(row["prices"], key=lambda price: price.get("from", "")):
        tiers = tuple(percent(price.get("factors", {}), tier) for tier in TIERS)
        if tiers not in factors:
            factors.append(tiers)
        off_peak = (100, 0)
        if "offPeak" in price:
            hours = sum(1 << hour for hour in price["offPeak"]["hours"])
            off_peak = (percent(price["offPeak"], "factor"), hours)
        if off_peak not in off_peaks:
            off_peaks.append(off_peak)
        for tokens, parts in price_lines(price):
            amounts = [picodollars(parts, part) for part in PARTS]
            amounts = [UNKNOWN if amount is None else f"{amount}" for amount in amounts]
            lines.append(
                f"row({index}, {factors.index(tiers)}, {off_peaks.index(off_peak)}, "
                f"{number_of(price.get('from'))}, {number_of(row['date'])}, {tokens}, "
                f"[{', '.join(amounts)}]),"
            )
    return lines


def rust_code(catalog, names, prices, factors, off_peaks):
    text = "\\n\\\n".join(" ".join([provider] + models) for provider, models in names)
    out = [
        "//! The prices of models. This file is written by scripts/models from the file",
        "//! data/catalog.json, which also states the sources.",
        "",
        "use super::rows::{Factors, OffPeak, Price, row};",
        "",
        "/// A line for each provider: its name, then the names of its models. The index of a model",
        "/// counts the models of all lines.",
        f'pub(super) const NAMES: &str = "\\\n{wrap(text)}";',
        "",
        "/// The factors of prices in percent, or 0 if a factor is not known.",
        f"pub(super) static FACTORS: [Factors; {len(factors)}] = [",
    ]
    for tiers in factors:
        fields = ", ".join(f"{name}: {value}" for name, value in zip(TIERS, tiers))
        out.append(f"Factors {{ {fields} }},")
    out += [
        "];",
        "",
        "/// The lower prices at some hours.",
        f"pub(super) static OFF_PEAKS: [OffPeak; {len(off_peaks)}] = [",
    ]
    out += [f"OffPeak {{ percent: {factor}, hours: {hours:#x} }}," for factor, hours in off_peaks]
    out += [
        "];",
        "",
        "/// The prices by model, by date, and by the size of the prompt.",
        "#[rustfmt::skip]",
        f"pub(super) static PRICES: [Price; {len(prices)}] = [",
    ]
    out += [f"    {line}" for line in prices] + ["];", ""]
    return "\n".join(out)


def wrap(text):
    """Breaks the lines of a Rust string, which continue after a backslash."""
    lines = []
    for line in text.split("\n"):
        while len(line) > 96:
            at = line.rindex(" ", 0, 96)
            # A backslash also skips the spaces that follow it.
            lines.append(line[: at + 1] + "\\")
            line = line[at + 1 :]
        lines.append(line)
    return "\n".join(lines)
