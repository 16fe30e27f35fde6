#!/usr/bin/env python3
"""Writes a small sample dataset into a folder that has none: make_sample.py FOLDER.

The sample is always the same: the eight planets, with the figures of NASA's Planetary Fact Sheet.
"""

import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

# name, mass (10^24 kg), mean radius (km), distance from the Sun (10^6 km), moons, rings
PLANETS = [
    ("Mercury", 0.330, 2440, 57.9, 0, False),
    ("Venus", 4.87, 6052, 108.2, 0, False),
    ("Earth", 5.97, 6371, 149.6, 1, False),
    ("Mars", 0.642, 3390, 228.0, 2, False),
    ("Jupiter", 1898.0, 69911, 778.5, 95, True),
    ("Saturn", 568.0, 58232, 1432.0, 146, True),
    ("Uranus", 86.8, 25362, 2867.0, 28, True),
    ("Neptune", 102.0, 24622, 4515.0, 16, True),
]

SCHEMA = pa.schema(
    [
        pa.field("planet", pa.string(), nullable=False),
        pa.field("mass_1e24_kg", pa.float64()),
        pa.field("mean_radius_km", pa.int32()),
        pa.field("distance_1e6_km", pa.float64()),
        pa.field("moons", pa.int32()),
        pa.field("rings", pa.bool_()),
    ]
)


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if any(path.is_file() for path in folder.rglob("*.parquet")):
        return
    columns = [pa.array(values, field.type) for values, field in zip(zip(*PLANETS), SCHEMA)]
    unfinished = folder / ".planets.parquet.new"
    pq.write_table(pa.table(columns, schema=SCHEMA), unfinished, compression="zstd")
    unfinished.rename(folder / "planets.parquet")
    print(f"wrote the sample dataset {folder / 'planets.parquet'}")


if __name__ == "__main__":
    main()
