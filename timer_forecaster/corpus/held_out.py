"""What never enters a training corpus: data sets and series kept to validate, to show, to teach."""

from __future__ import annotations

__all__ = ["HELD_OUT", "HELD_OUT_SERIES"]

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
)
"""Datasets kept out of training: they serve validation, examples and fine-tuning studies."""

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
)
"""Single series of other datasets that repeat a held-out one or a series used in examples."""
