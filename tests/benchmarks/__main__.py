"""`make bench`: each benchmark in a process of its own, so that none inherits another's threads or warm caches.

Figures are ratios within one run on this machine; absolute speeds mean little elsewhere. Peers not installed are
left out of the tables and named.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

BENCHMARKS = {
    "5x5 plane-fit normals, 112 x 112": "bench_normals",
    "mesh of 25,000 triangles to a 112 x 112 range image": "bench_rasteriser",
    "rank-1 search by the mean of three distances": "bench_search",
    "Sphere20 on one core, 32 and 8 bits": "bench_branches",
    "index of a data set, from a listing and from a disk": "bench_index",
}
PEERS = ("open3d", "faiss", "cv2")


def main() -> int:
    """Run all; the exit code tells whether all ended well."""
    absent = [name for name in PEERS if find_spec(name) is None]
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; absent peers: {', '.join(absent) or 'none'}")
    failed = False
    for title, module in BENCHMARKS.items():
        print(f"\n{title}", flush=True)
        done = subprocess.run(
            [sys.executable, "-m", f"tests.benchmarks.{module}"], env={**os.environ, "OMP_NUM_THREADS": "1"}
        )
        failed |= done.returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
