"""``ipudebug simulate``: float and fixed models against plain onnxruntime on the original, and what a dump adds."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.data.ladder import Ladder, make_net
from bench.data.reference import ABSENT, find_reference
from bench.harness import BenchError, Context, Row, Run, judge, leave_out, ratios, take_turns, values
from bench.harness.turns import measure_spread

GROUP = "ipudebug simulate"
RIVALS = Path(__file__).parent / "rivals"
PLAIN = "plain onnxruntime on the original"
EXPORTED = "onnxruntime on what export-onnx makes of it"
VENDOR = "vendor's face detector, 640x384"
FLOAT_LIMIT, VENDOR_LIMIT, FIXED_LIMIT, DUMP_LIMIT = 1.15, 1.5, 8, 1.3
MANY, FEW = 24, 2
DUMP = "sigma_outtensor_dump.bin"


@dataclass(frozen=True)
class Course:
    """A simulated model, what it is measured against, and what both are fed with.

    Attributes:
        title: what the rows call it.
        sim: the model that ``simulate`` runs.
        original: the ONNX model that onnxruntime runs.
        baseline: what the rows call that.
        preprocess: of both.
        images: of both, as whole processes.
        few: of both, in the steady state.
        at_most: how many times the time of the original it may take.
        least_cos: of its outputs and the original's.
    """

    context: Context
    title: str
    sim: Path
    original: Path
    baseline: str
    preprocess: Path
    images: Path
    few: Path
    at_most: float
    least_cos: float

    @property
    def folder(self) -> Path:
        """Where ``simulate`` works."""
        return self.context.work / f"run_{self.sim.stem}"

    def simulate(self, images: Path | None = None) -> Run:
        """Run the whole command."""
        self.folder.mkdir(exist_ok=True)
        argv = [self.context.ipudebug, "simulate", "-m", self.sim, "-i", images or self.images, "-n", self.preprocess]
        return self.context.run([*argv, "--overwrite", "--skip_garbage"], cwd=self.folder)

    def infer(self, *out: Path) -> Run:
        """Run the original on the same images and nothing else."""
        argv = [self.context.python, RIVALS / "plain_runs.py", self.original, self.images, self.preprocess, *out]
        return self.context.run(argv)


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows net by net: steady state, whole process, dump."""
    for kind, size in context.choose((("mobilenet", 224), ("resnet", 224)), (("mobilenet", 64),)):
        net = make_net(context, kind, size, context.choose(MANY, 3))
        net.calibrate(images=net.pick_images(2))
        few = net.pick_images(FEW)
        for stage, sim, limit, least in (
            ("float.sim", net.floating, FLOAT_LIMIT, 0.999999),
            ("fixed.sim", net.fixed, FIXED_LIMIT, 0.9),  # random weights quantise worse than trained ones
        ):
            title = f"{net.title}, {stage}"
            course = Course(context, title, sim, net.model, PLAIN, net.preprocess, net.images, few, limit, least)
            yield from compare_with_plain(course)
            yield measure_dump(course, net)
        context.remove(net.folder)
    yield from measure_vendor(context)


def measure_vendor(context: Context) -> Iterator[Row]:
    """Yield the rows of the vendor's own files."""
    reference = find_reference()
    stages = (("float", VENDOR_LIMIT, 0.999999), ("fixed", FIXED_LIMIT, 0.98))
    if reference is None:
        for stage, limit, _ in stages:
            yield leave_out(f"{VENDOR}, {stage}.sim", EXPORTED, ABSENT, at_most=limit)
        return
    source, exported = reference / "rfb320", context.work / "exported.onnx"
    context.run([context.ipudebug, "export-onnx", source / "float.sim", "-o", exported])
    preprocess = context.work / "preprocess.py"
    context.run_module("bench.data.surroundings", exported, context.work, "--mean", "0", "--std", "255")
    images = Ladder(context, context.work, VENDOR, reference / "images")
    many, few = images.pick_images(context.choose(MANY, 3)), images.pick_images(FEW)
    for stage, limit, least in stages:
        title = f"{VENDOR}, {stage}.sim"
        sim = source / f"{stage}.sim"
        yield from compare_with_plain(
            Course(context, title, sim, exported, EXPORTED, preprocess, many, few, limit, least)
        )


def compare_with_plain(course: Course) -> Iterator[Row]:
    """Yield the time of one image once everything is open, and that of the whole process over several."""
    context = course.context
    context.say(f"{course.title} against {course.baseline}")
    rounds = str(context.choose(9, 2))
    files = [course.original, course.sim, course.preprocess, course.images]
    steady = json.loads(context.run_module("bench.rivals.steady_state", *files, rounds).stdout)
    if not steady["cos"] >= course.least_cos:
        raise BenchError(f"{course.title}: COS {steady['cos']:.6f} of the original, expected {course.least_cos:g}")
    if not steady["repeats"]:
        raise BenchError(f"{course.title}: two runs on the same images differ")
    mine, theirs = (1e3 * measure_spread(steady[side]).median for side in ("ours", "theirs"))
    note = (
        f"best of {FEW} images in a round: {mine:.1f} against {theirs:.1f} ms; COS of the outputs {steady['cos']:.6f}"
    )
    spread = ratios(steady["ours"], steady["theirs"], key=float)
    yield judge(f"{course.title}, steady state", course.baseline, spread, at_most=course.at_most, note=note)

    turns = take_turns({"ours": course.simulate, "theirs": course.infer}, rounds=context.choose(7, 2))
    expected = context.work / "outputs.npz"
    course.infer(expected)
    check_results(course, expected)
    mine, theirs = (values(turns[side]).median for side in ("ours", "theirs"))
    count = len(list(course.images.iterdir()))
    note = f"result files written: {mine:.2f} against {theirs:.2f} s"
    title = f"{course.title}, whole process, {count} images"
    spread = ratios(turns["ours"], turns["theirs"])
    yield judge(title, course.baseline, spread, at_most=course.at_most, note=note)


def check_results(course: Course, expected: Path) -> None:
    """Raise BenchError unless the result files hold what the original gives."""
    folder = course.folder / "log" / "output"
    arguments = [expected, folder, str(course.least_cos)]
    run = course.context.run_module("bench.data.check_results", *arguments, check=False)
    if run.code != 0:
        raise BenchError(f"{course.title}: {run.stderr.strip().splitlines()[-1:]}")


def measure_dump(course: Course, net: Ladder) -> Row:
    """Return what the dump of one image adds to a run, against writing its bytes."""
    context, folder = course.context, course.folder
    context.say(f"{course.title}, dump")
    image = net.pick_images(1)
    folder.mkdir(exist_ok=True)
    config, dump, copy = folder / "DebugConfig.txt", folder / DUMP, folder / "copy.bin"

    def run_dumping() -> Run:
        dump.unlink(missing_ok=True)
        config.write_text(f"dumpTensor\neliminateGarbage\ndequantFixed\npath={folder}\n", "utf-8")
        return course.simulate(image)

    def run_plain() -> Run:
        config.unlink(missing_ok=True)
        return course.simulate(image)

    def write_bytes() -> Run:
        copy.unlink(missing_ok=True)
        return context.run(["cat", dump], stdout=copy)

    turns = take_turns({"dump": run_dumping, "plain": run_plain, "write": write_bytes}, rounds=context.choose(7, 2))
    if dump.read_bytes()[:11] != b"isFloat: 1\n" or copy.stat().st_size != dump.stat().st_size:
        raise BenchError(f"{course.title}: no complete dump at {dump}")
    sides = zip(turns["dump"], turns["plain"], turns["write"], strict=True)
    spread = measure_spread((dumped.seconds - plain.seconds) / write.seconds for dumped, plain, write in sides)
    dumped, plain, write = (values(turns[name]).median for name in ("dump", "plain", "write"))
    note = f"{dump.stat().st_size / 1e6:.0f} MB; one image, whole processes: {dumped:.2f} s with, {plain:.2f} s without"
    note += f", {write:.3f} s to write the bytes"
    for file in (dump, copy):
        file.unlink()
    return judge(f"{course.title}, what a dump adds", "`cat DUMP > file`", spread, at_most=DUMP_LIMIT, note=note)
