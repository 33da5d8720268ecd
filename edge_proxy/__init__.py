"""The proxy of a region's edge: many client sessions in, a few multiplexed worker connections out.

`scheduler`, `router`, `prediction` and the other policies are pure; `app`, `session`, `worker_link` are thin shells.
"""

__version__ = "0.1.0"
