# SPDX-License-Identifier: Apache-2.0
"""The ratios of bench/all.py as a picture: one row a network, a bar for each number of threads."""

COLOURS = {1: "#2b6cb0", 2: "#90b8dd"}
LEFT, WIDE, BAR, GAP, TOP = 330, 420, 9, 8, 46


def ratios(rows):
    """SVG text; the bars are dlpu's time over the best peer's, the line at 1 is the peer."""
    names = list(dict.fromkeys(r["model"] for r in rows if "ratio" in r))
    threads = sorted({r["threads"] for r in rows})
    most = max([1.1] + [r["ratio"] for r in rows if "ratio" in r])
    scale, step = WIDE / most, len(threads) * BAR + GAP
    height = TOP + len(names) * step + 20

    def text(x, y, words, anchor="end", size=11):
        return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
                f'font-size="{size}">{words}</text>')

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDE + 110}" '
           f'height="{height}" font-family="sans-serif">',
           '<rect width="100%" height="100%" fill="white"/>',
           text(10, 18, "Time of dlpu over the best peer's (below 1: ahead)", "start", 13)]
    for i, count in enumerate(threads):
        x = LEFT + 110 * i
        out.append(f'<rect x="{x}" y="27" width="10" height="10" fill="{COLOURS.get(count)}"/>')
        out.append(text(x + 15, 36, f"{count} thread{'s' * (count > 1)}", "start"))
    for row, name in enumerate(names):
        top = TOP + row * step
        out.append(text(LEFT - 8, top + step / 2, name))
        for r in rows:
            if r["model"] != name or "ratio" not in r:
                continue
            y = top + threads.index(r["threads"]) * BAR
            out.append(f'<rect x="{LEFT}" y="{y}" width="{r["ratio"] * scale:.1f}" '
                       f'height="{BAR - 1}" fill="{COLOURS.get(r["threads"], "#777")}"/>')
            out.append(text(LEFT + r["ratio"] * scale + 4, y + BAR - 1,
                            f'{r["ratio"]:.2f} {r["best_peer"]}', "start", 9))
    x = LEFT + scale
    out.append(f'<line x1="{x:.1f}" y1="{TOP - 4}" x2="{x:.1f}" y2="{height - 16}" '
               'stroke="#c53030" stroke-dasharray="4 3"/>')
    return "\n".join(out + ["</svg>", ""])
