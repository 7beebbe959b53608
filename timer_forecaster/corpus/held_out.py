"""Data sets and series that never enter a training corpus: for validation and examples."""

from __future__ import annotations

import hashlib

__all__ = ["HELD_OUT", "HELD_OUT_SERIES", "held_out_half"]

HELD_OUT: tuple[str, ...] = (
    "np_load_rte__H",
    "vic_elec__30T",
    "darts_taylor__30T",
    "us_gasoline__W",
    "tourism_monthly__M",
    "tourism_quarterly__Q",
    "pedestrian4__H",
    "hourly_peds__H",
    "metro_interstate__H",
    "nn5__D",
    "sunspot_daily__D",
    "spain_price__H",
    "tetouan_power__10T",
    "steel_energy__15T",
    "avocado__W",
    "aus_retail__M",
    "nab__5T",
    "call_center_aht__15T",
    "fremont_bridge__H",
    "bikeshare_dc__H",
    # Kept out since timer-s1-small; timer-s1-mini was trained on them.
    "chicago_nmmaps__D",
    "nngc1_d__D",
    "bank_branch_weekly__W",
    "flu_bybw__W",
    "nngc1_w__W",
    "aus_livestock__M",
    "na_climate_monthly__M",
    "m3_other__Q",
)
"""Data sets kept out of training, for validation, examples and studies of finetuning."""

HELD_OUT_SERIES: tuple[str, ...] = (
    # air passengers
    "m1_monthly/MNI166",
    "r_small/tsdl_160",
    # US gasoline
    "r_small/fpp2-package_gasoline",
    # sunspots
    "r_small/tsdl_618",
    "r_small/fpp2-package_sunspotarea",
    "r_small/tswge_sunspot2.0",
    "r_small/tswge_sunspot2.0.month",
    "r_small/Rdatasets_datasets_sunspot.m2014",
    "r_small/Rdatasets_datasets_sunspot.month",
    # lynx, Nile, wine, beer, wool, deaths: the teaching series of most manuals
    "r_small/fma_lynx",
    "r_small/astsa_Lynx",
    "r_small/tswge_llynx",
    "r_small/tsdl_321",
    "r_small/tsdl_155_6",
    "r_small/forecast_wineind",
    "r_small/fpp2-package_ausbeer",
    "aus_production/Beer",
    "r_small/tsdl_157",
    "r_small/Rdatasets_MASS_deaths",
    # weekly price of nngc1_w
    "r_small/Rdatasets_quantreg_gasprice",
    # m3_other, also month by month
    "m3_monthly/N2801",
    "m3_monthly/N2804",
    "m3_monthly/N2806",
    "m3_monthly/N2807",
    "m3_monthly/N2810",
    "m3_monthly/N2813",
    "m3_monthly/N2814",
    "m3_monthly/N2818",
    "m3_monthly/N2819",
    "m3_monthly/N2820",
    "m3_monthly/N2821",
    "m3_monthly/N2822",
    "m3_monthly/N2823",
    "r_small/tsdl_205_1",
    "r_small/tsdl_205_2",
    "r_small/tsdl_205_3",
)
"""Single series of other data sets that repeat a held-out series or a series of examples."""


def held_out_half(half: str) -> tuple[str, ...]:
    """Return the half of `HELD_OUT` for choices, or the half that confirms them.

    The hash of its name assigns a data set to a half, so nobody chose it. It stays in its half when
    other data sets are held out.

    Parameters
    ----------
    half : {"A", "B"}
        ``"A"``: the data sets to choose settings, ends of stages and options on. ``"B"``: the data
        sets to score once per candidate.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from timer_forecaster.corpus.held_out import HELD_OUT, held_out_half
    >>> sorted(held_out_half("A") + held_out_half("B")) == sorted(HELD_OUT)
    True
    """
    if half not in ("A", "B"):
        raise ValueError(f"half={half!r} is unknown; use 'A' or 'B'")
    return tuple(name for name in HELD_OUT if _half_of(name) == half)


def _half_of(name: str) -> str:
    return "AB"[hashlib.blake2b(name.encode()).digest()[0] % 2]
