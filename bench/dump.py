"""``ipudebug dump-onnx`` as a whole process: against plain inference, the vendor's way and Polygraphy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.harness import (
    BenchError,
    Context,
    Row,
    Run,
    Unavailable,
    differences,
    judge,
    leave_out,
    ratios,
    take_turns,
    values,
)
from bench.rivals.environment import prepare_polygraphy, read_polygraphy_version

GROUP = "ipudebug dump-onnx"
RIVALS = Path(__file__).parent / "rivals"
PLAIN = "plain inference"
VENDOR = "faster than one run per output with struct.pack of every value"
MEGABYTE = 1e6


@dataclass(frozen=True)
class Net:
    """A model to dump, and what is aimed at.

    Attributes:
        kind: as in ``bench.data.nets``.
        size: height and width of the input.
        slower: how many times the time of plain inference a dump may take.
        extra_megabytes: how much more memory than plain inference; None where single tensors are huge: 2.1 times.
        vendor: how often the vendor's way is measured: it takes a run for every output, minutes for a large net.
        polygraphy: how many times the time, and the memory, Polygraphy should take; None not to measure it.
    """

    kind: str
    size: int
    slower: float
    extra_megabytes: float | None
    vendor: int = 0
    polygraphy: tuple[float, float | None] | None = None

    @property
    def title(self) -> str:
        """What the rows call it."""
        return f"{TITLES[self.kind]} at {self.size}"


TITLES = {"mobilenet": "MobileNetV2-like", "resnet": "ResNet50-like", "unet": "UNet"}
FULL = (
    Net("mobilenet", 224, 1.5, 200, vendor=3, polygraphy=(3.5, None)),
    Net("resnet", 224, 1.5, 200, vendor=3, polygraphy=(3.5, None)),
    Net("mobilenet", 640, 2.5, 200, vendor=1, polygraphy=(5.5, 7)),
    Net("resnet", 640, 2.1, 200, vendor=1, polygraphy=(5.5, 7)),
    Net("unet", 640, 2.1, None),
    Net("unet", 896, 2.6, None),
)
QUICK = (
    Net("mobilenet", 64, 1.5, 200, vendor=2, polygraphy=(3.5, None)),
    Net("resnet", 64, 2.1, 200, polygraphy=(5.5, 7)),
    Net("unet", 64, 2.1, None),
)


@dataclass(frozen=True)
class Commands:
    """The programs that take turns on one net, all in one folder with its model, picture and preprocess file."""

    context: Context
    folder: Path

    @property
    def dumped(self) -> Path:
        """What ``dump-onnx`` writes."""
        return self.folder / "dumpData" / "onnx_NHWC_outtensor_dump.bin"

    def forget(self, file: Path) -> None:
        """Remove the file of the turn before: giving its pages back is no part of the time."""
        file.unlink(missing_ok=True)

    def dump(self) -> Run:
        """Dump with ipudebug."""
        self.forget(self.dumped)
        options = ["--model_file", "model.onnx", "-i", "picture.png", "--dump_bin", "True", "-n", "preprocess.py"]
        return self.context.run([self.context.ipudebug, "dump-onnx", *options], cwd=self.folder)

    def infer(self, *out: str) -> Run:
        """Run the model and nothing else."""
        argv = [self.context.python, RIVALS / "plain_inference.py", "model.onnx", "picture.png", "preprocess.py", *out]
        return self.context.run(argv, cwd=self.folder)

    def dump_the_vendors_way(self) -> Run:
        """Dump with the re-enactment of the vendor's script."""
        self.forget(self.folder / "vendor.bin")
        argv = [self.context.python, RIVALS / "vendor_dump.py", "model.onnx", "picture.png", "preprocess.py"]
        return self.context.run([*argv, "vendor.bin"], cwd=self.folder)

    def dump_with_polygraphy(self) -> Run:
        """Mark all outputs and save them in Polygraphy's own format."""
        self.forget(self.folder / "polygraphy.json")
        python = prepare_polygraphy(self.context)
        marks = ["--onnxrt", "--onnx-outputs", "mark", "all", "--save-outputs", "polygraphy.json"]
        feed = ["--data-loader-script", RIVALS / "polygraphy_feed.py"]
        argv = [python.with_name("polygraphy"), "run", "model.onnx", *marks, *feed]
        return self.context.run(argv, cwd=self.folder)

    def check(self, other: str, python: str | None = None) -> None:
        """Raise BenchError unless the dump agrees with another source; see ``bench.data.check_dump``."""
        run = self.context.run_module(
            "bench.data.check_dump", self.dumped, self.folder / other, python=python, check=False
        )
        if run.code != 0:
            raise BenchError(f"the dump disagrees with {other}: {run.stderr.strip().splitlines()[-1:]}")
        self.forget(self.folder / other)


def rows(context: Context) -> Iterator[Row]:
    """Yield the rows net by net; the files of a net are removed before the next."""
    for net in context.choose(FULL, QUICK):
        folder = context.work / f"{net.kind}_{net.size}"
        folder.mkdir()
        activations = make_model(context, net, folder)
        commands = Commands(context, folder)
        yield from compare_with_inference(context, net, commands, activations)
        if net.vendor:
            yield compare_with_vendor(context, net, commands)
        if net.polygraphy:
            yield from compare_with_polygraphy(context, net, commands, *net.polygraphy)
        context.remove(folder)


def make_model(context: Context, net: Net, folder: Path) -> int:
    """Write model, picture and preprocess file; return the bytes of all activations."""
    context.say(f"making {net.title}")
    width = context.choose((), ("--width", "8"))
    built = context.run_module("bench.data.nets", folder / "model.onnx", net.kind, str(net.size), *width)
    context.run_module("bench.data.picture", folder, str(net.size))
    return int(built.stdout)


def compare_with_inference(context: Context, net: Net, commands: Commands, activations: int) -> Iterator[Row]:
    """Yield time and memory against plain inference; the model's outputs are the same bits in both."""
    context.say(f"{net.title} against {PLAIN}")
    programs = {"dump": commands.dump, "plain": commands.infer}
    turns = take_turns(programs, rounds=context.choose(7, 2))
    commands.infer("outputs.npz")
    commands.check("outputs.npz")
    note = f"{activations / MEGABYTE:,.0f} MB of activations; {describe_runs(turns)}"
    title = f"{net.title}, time"
    yield judge(title, PLAIN, ratios(turns["dump"], turns["plain"]), at_most=net.slower, note=note)
    title = f"{net.title}, peak memory"
    if net.extra_megabytes is None:
        spread = ratios(turns["dump"], turns["plain"], key=read_peak)
        yield judge(title, PLAIN, spread, at_most=2.1, note=note)
    else:
        spread = differences(turns["dump"], turns["plain"], key=lambda run: run.peak / MEGABYTE)
        yield judge(title, f"above {PLAIN}", spread, at_most=net.extra_megabytes, unit="MB", note=note)


def compare_with_vendor(context: Context, net: Net, commands: Commands) -> Row:
    """Return the time against the vendor's way; every tensor has the same bits in both dumps."""
    context.say(f"{net.title} against the vendor's way")
    programs = {"dump": commands.dump, "vendor": commands.dump_the_vendors_way, "plain": commands.infer}
    turns = take_turns(programs, rounds={"dump": 5, "vendor": net.vendor, "plain": 5})
    commands.check("vendor.bin")
    spread = ratios(turns["vendor"], turns["dump"])
    most = ratios(turns["vendor"], turns["plain"]).median
    note = f"{describe_runs(turns)}; plain inference, which writes nothing, is {most:.3g} x faster"
    return judge(f"{net.title}, the vendor's way", VENDOR, spread, at_least=40, note=note)


def compare_with_polygraphy(
    context: Context, net: Net, commands: Commands, faster: float, smaller: float | None
) -> Iterator[Row]:
    """Yield the time, and the memory where it is aimed at, against Polygraphy marking all outputs."""
    title, rival = f"{net.title}, Polygraphy", "Polygraphy with all outputs marked and saved"
    try:
        python = prepare_polygraphy(context)
    except Unavailable as reason:
        yield leave_out(f"{title}, time", f"faster than {rival}", str(reason), at_least=faster)
        if smaller is not None:
            yield leave_out(f"{title}, peak memory", f"less than {rival}", str(reason), at_least=smaller)
        return
    context.say(f"{net.title} against Polygraphy")
    programs = {"dump": commands.dump, "polygraphy": commands.dump_with_polygraphy}
    turns = take_turns(programs, rounds={"dump": 5, "polygraphy": context.choose(3, 2)})
    commands.check("polygraphy.json", python=str(python))
    note = f"Polygraphy {read_polygraphy_version(context)}; {describe_runs(turns)}"
    spread = ratios(turns["polygraphy"], turns["dump"])
    yield judge(f"{title}, time", f"faster than {rival}", spread, at_least=faster, note=note)
    if smaller is not None:
        spread = ratios(turns["polygraphy"], turns["dump"], key=read_peak)
        yield judge(f"{title}, peak memory", f"less than {rival}", spread, at_least=smaller, note=note)


def read_peak(run: Run) -> float:
    """Return the peak memory of a run."""
    return run.peak


def describe_runs(turns: Mapping[str, Sequence[Run]]) -> str:
    """Return median seconds and largest peak of every program."""
    told = []
    for name, runs in turns.items():
        peak = max(run.peak for run in runs) / MEGABYTE
        told.append(f"{name} {values(runs).median:.2f} s, {peak:.0f} MB")
    return "; ".join(told)
