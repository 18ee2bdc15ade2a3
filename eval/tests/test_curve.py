import json
import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from costeer_eval.curve import NoReport, read


def shown(report, output):
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "eval")}
    command = [sys.executable, "-m", "costeer_eval.curve", report, "--output", output]
    return subprocess.run([*map(str, command)], env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def tuned(servers, tmp_path_factory):
    """What `costeer tune --json` prints of the shipped small model on both sides, where strength 1 is right."""
    _, slm = servers
    folder = tmp_path_factory.mktemp("tune")
    settings = {
        "COSTEER__UPSTREAM__URL": slm,
        "COSTEER__LOCAL__MODEL": str(ROOT / "models/tiny/slm"),
        "XDG_STATE_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    command = [os.environ["COSTEER"], "tune", "--json", "--questions", "3", "--tokens", "16"]
    report = folder / "tune.json"
    with report.open("wb") as out:
        subprocess.run(command, cwd=ROOT, env={**os.environ, **settings}, stdout=out, stderr=subprocess.PIPE, check=True)
    return report


def test_the_curve_of_a_run_is_a_table_and_a_plot(tuned, tmp_path):
    run = shown(tuned, tmp_path / "out")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "out/curve.md").read_text(encoding="utf-8") == run.stdout
    first = read(tuned)["report"]["curves"][0]
    curve, _, best = run.stdout.partition("| floor | best strength |")
    rows = re.findall(r"^\| ([\d.]+) \| ([\d.]+) \(([\d.]+) – ([\d.]+)\)", curve, re.MULTILINE)
    points = {float(strength): tuple(map(float, rest)) for strength, *rest in rows}
    assert {0.0, 0.5, 1.0, 1.8, 4.0} <= set(points)
    assert min(points, key=lambda strength: points[strength][0]) == 1.0
    for point in first["points"]:
        if point["strength"] in points:
            wanted = tuple(round(point["divergence"][key], 4) for key in ("mean", "low", "high"))
            assert points[point["strength"]] == pytest.approx(wanted, abs=1e-9)
    assert re.search(rf"^\| 0 \| {first['strength']:.2f} \(", best, re.MULTILINE)
    # A line, its interval and a mark for each floor.
    plot = (tmp_path / "out/curve.svg").read_text(encoding="utf-8")
    curves = len(read(tuned)["report"]["curves"])
    assert plot.count('id="FillBetweenPolyCollection_') == curves
    assert len(re.findall(r"<!-- floor ", plot)) == curves and "<!-- KL in nats -->" in plot
    # The same numbers make the same files.
    assert shown(tuned, tmp_path / "again").returncode == 0
    assert (tmp_path / "again/curve.svg").read_text(encoding="utf-8") == plot


@pytest.mark.parametrize("text", ["", "{}", '{"estimate": {}}', '{"report": {"curves": []}}', '{"report": {"curves": [{"points": []}]}}', "[1]"])
def test_what_is_no_report_is_named(text, tmp_path):
    file = tmp_path / "tune.json"
    file.write_text(text)
    with pytest.raises(NoReport, match="tune.json"):
        read(file)
    run = shown(file, tmp_path / "out")
    assert run.returncode == 1 and "Traceback" not in run.stderr and not (tmp_path / "out").exists()


def test_more_than_is_known_does_no_harm(tuned, tmp_path):
    found = json.loads(tuned.read_text(encoding="utf-8"))
    found["more"] = found["report"]["more"] = 1
    file = tmp_path / "tune.json"
    file.write_text(json.dumps(found))
    assert shown(file, tmp_path / "out").returncode == 0
