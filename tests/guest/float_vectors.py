#!/usr/bin/env python3
"""Prints the vectors of the floating-point programs: float_vectors.py single|double|convert > float_NAME.def

The results come from exact rational arithmetic rounded once, by the rules of IEEE 754-2008 as the RISC-V unprivileged
specification narrows them: canonical NaNs, tininess after rounding, minimumNumber and maximumNumber, and saturating
conversions to integers. Nothing here uses the host's floating point. The tables are checked in; a build needs no Python.
"""
import random
import sys
from fractions import Fraction
from math import isqrt

NX, UF, OF, DZ, NV = 1, 2, 4, 8, 16
RNE, RTZ, RDN, RUP, RMM = MODES = range(5)


class Format:
    """A binary interchange format; values are their bit patterns."""

    def __init__(self, width, precision):
        self.width, self.p = width, precision
        self.ebits = width - precision
        self.bias = (1 << (self.ebits - 1)) - 1
        self.emin, self.emax = 1 - self.bias, self.bias
        self.frac = (1 << (precision - 1)) - 1
        self.inf = ((1 << self.ebits) - 1) << (precision - 1)
        self.max = self.inf - 1
        self.sign = 1 << (width - 1)
        self.nan = self.inf | 1 << (precision - 2)
        self.one = self.bias << (precision - 1)
        self.normal = 1 << (precision - 1)

    def negative(self, x):
        return x >> (self.width - 1)

    def magnitude(self, x):
        return x & (self.sign - 1)

    def is_nan(self, x):
        return self.magnitude(x) > self.inf

    def is_snan(self, x):
        return self.is_nan(x) and not x >> (self.p - 2) & 1

    def is_inf(self, x):
        return self.magnitude(x) == self.inf

    def is_zero(self, x):
        return self.magnitude(x) == 0

    def value(self, x):
        exponent, fraction = self.magnitude(x) >> (self.p - 1), x & self.frac
        if exponent:
            fraction += 1 << (self.p - 1)
        else:
            exponent = 1
        v = Fraction(fraction) * Fraction(2) ** (exponent - self.bias - self.p + 1)
        return -v if self.negative(x) else v


SINGLE, DOUBLE = Format(32, 24), Format(64, 53)


def round_integer(v, mode, negative):
    """The nearest integer of v >= 0 in the mode, and whether it differs."""
    whole = v.numerator // v.denominator
    rest = v - whole
    half = Fraction(1, 2)
    up = {
        RNE: rest > half or (rest == half and whole & 1),
        RTZ: False,
        RDN: negative and rest > 0,
        RUP: not negative and rest > 0,
        RMM: rest >= half,
    }[mode]
    return whole + bool(up), rest != 0


def exponent_of(v):
    """floor(log2(v)) of v > 0."""
    e = v.numerator.bit_length() - v.denominator.bit_length()
    return e if Fraction(2) ** e <= v else e - 1


def encode(f, v, mode, negative):
    """Rounds |v| > 0 into the format; gives bits and flags."""
    v = abs(v)
    sign = f.sign if negative else 0
    e = exponent_of(v)
    unit = Fraction(2) ** (max(e, f.emin) - f.p + 1)
    n, inexact = round_integer(v / unit, mode, negative)
    flags = NX if inexact else 0
    unbounded, _ = round_integer(v / Fraction(2) ** (e - f.p + 1), mode, negative)
    if inexact and unbounded * Fraction(2) ** (e - f.p + 1) < Fraction(2) ** f.emin:
        flags |= UF
    if n * unit >= Fraction(2) ** (f.emax + 1):
        to_max = mode == RTZ or (mode == RDN and not negative) or (mode == RUP and negative)
        return sign | (f.max if to_max else f.inf), OF | NX
    biased = max(e, f.emin) + f.bias
    bits = n if n < f.normal else ((biased - 1) << (f.p - 1)) + n
    return sign | bits, flags


def invalid(f, *operands):
    return f.nan, NV if any(f.is_snan(x) for x in operands) else 0


def multiply_add(f, a, b, c, mode, negate_product=False, negate_addend=False, lone_product=False):
    if negate_product:
        a ^= f.sign
    if negate_addend:
        c ^= f.sign
    product_invalid = (f.is_inf(a) and f.is_zero(b)) or (f.is_zero(a) and f.is_inf(b))
    if product_invalid:
        return f.nan, NV
    if f.is_nan(a) or f.is_nan(b) or f.is_nan(c):
        return invalid(f, a, b, c)
    sign = f.negative(a) ^ f.negative(b)
    if f.is_inf(a) or f.is_inf(b):
        if f.is_inf(c) and f.negative(c) != sign:
            return f.nan, NV
        return (f.sign if sign else 0) | f.inf, 0
    if f.is_inf(c):
        return c, 0
    total = f.value(a) * f.value(b) + f.value(c)
    if total:
        return encode(f, total, mode, total < 0)
    if lone_product or sign == f.negative(c):
        negative = sign
    else:
        negative = mode == RDN
    return f.sign if negative else 0, 0


def add(f, a, b, mode):
    if f.is_nan(a) or f.is_nan(b):
        return invalid(f, a, b)
    return multiply_add(f, a, f.one, b, mode)


def sub(f, a, b, mode):
    if f.is_nan(a) or f.is_nan(b):
        return invalid(f, a, b)
    return add(f, a, b ^ f.sign, mode)


def mul(f, a, b, mode):
    return multiply_add(f, a, b, 0, mode, lone_product=True)


def div(f, a, b, mode):
    if f.is_nan(a) or f.is_nan(b):
        return invalid(f, a, b)
    sign = f.negative(a) ^ f.negative(b)
    top = f.sign if sign else 0
    if f.is_inf(a):
        return (f.nan, NV) if f.is_inf(b) else (top | f.inf, 0)
    if f.is_inf(b):
        return top, 0
    if f.is_zero(b):
        return (f.nan, NV) if f.is_zero(a) else (top | f.inf, DZ)
    if f.is_zero(a):
        return top, 0
    return encode(f, f.value(a) / f.value(b), mode, sign)


def sqrt(f, a, mode):
    if f.is_nan(a):
        return invalid(f, a)
    if f.is_zero(a):
        return a, 0
    if f.negative(a):
        return f.nan, NV
    if f.is_inf(a):
        return a, 0
    v = f.value(a)
    shift = 2 * (f.p + 2 * f.bias)
    scaled = v * Fraction(2) ** shift
    root = isqrt(scaled.numerator // scaled.denominator)
    exact = root * root == scaled
    approximation = Fraction(root) + (0 if exact else Fraction(1, 3))
    return encode(f, approximation / Fraction(2) ** (shift // 2), mode, False)


def extremum(f, a, b, largest):
    flags = NV if f.is_snan(a) or f.is_snan(b) else 0
    if f.is_nan(a) and f.is_nan(b):
        return f.nan, flags
    if f.is_nan(a):
        return b, flags
    if f.is_nan(b):
        return a, flags

    def key(x):
        return -f.magnitude(x) - 1 if f.negative(x) else f.magnitude(x)

    return (max if largest else min)(a, b, key=key), flags


def compare(f, a, b, relation):
    if f.is_nan(a) or f.is_nan(b):
        quiet = relation == "eq"
        return 0, NV if not quiet or f.is_snan(a) or f.is_snan(b) else 0

    def order(x):
        return 0 if f.is_zero(x) else -f.magnitude(x) if f.negative(x) else f.magnitude(x)

    x, y = order(a), order(b)
    return int({"eq": x == y, "lt": x < y, "le": x <= y}[relation]), 0


def classify(f, a):
    if f.is_nan(a):
        return 1 << (8 if f.is_snan(a) else 9)
    rank = 3 if f.is_inf(a) else 0 if f.is_zero(a) else 1 if f.magnitude(a) < f.normal else 2
    return 1 << (3 - rank if f.negative(a) else 4 + rank)


def to_integer(f, a, mode, bits, signed):
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if f.is_nan(a):
        return high, NV
    if f.is_inf(a):
        return (low if f.negative(a) else high), NV
    n, inexact = round_integer(abs(f.value(a)), mode, f.negative(a))
    n = -n if f.negative(a) else n
    if n < low or n > high:
        return (low if n < low else high), NV
    return n, NX if inexact else 0


def from_integer(f, n, mode):
    return encode(f, Fraction(n), mode, n < 0) if n else (0, 0)


def to_format(f, g, a, mode):
    if f.is_nan(a):
        return g.nan, NV if f.is_snan(a) else 0
    sign = g.sign if f.negative(a) else 0
    if f.is_inf(a):
        return sign | g.inf, 0
    if f.is_zero(a):
        return sign, 0
    return encode(g, f.value(a), mode, f.negative(a))


def operands(f):
    """Names of the interesting values."""
    o = {
        "zero": 0, "tiny": 1, "subnormal": f.normal // 2 + 1, "top_subnormal": f.normal - 1, "normal": f.normal,
        "normal_up": f.normal + 1, "one": f.one, "one_up": f.one + 1, "one_down": f.one - 1,
        "half_ulp": f.one - (f.p << (f.p - 1)), "half_ulp_up": f.one - (f.p << (f.p - 1)) + 1,
        "two": f.one + f.normal, "three": f.one + f.normal + f.normal // 2, "third": 0,
        "max": f.max, "max_down": f.max - 1, "half_max": f.max - f.normal, "inf": f.inf,
        "qnan": f.nan | 5, "snan": f.inf | 1, "sqrt_normal": 0, "sqrt_tiny": 0,
        "big_odd": (f.bias + f.p - 1) << (f.p - 1) | 1, "half": f.one - f.normal,
    }
    o["third"] = encode(f, Fraction(1, 3), RNE, False)[0]
    o["sqrt_normal"] = encode(f, Fraction(2) ** (f.emin // 2), RNE, False)[0]
    o["sqrt_tiny"] = encode(f, Fraction(2) ** ((f.emin - f.p) // 2), RNE, False)[0] | 1
    o.update({"-" + k: v | f.sign for k, v in list(o.items())})
    return o


SUMS = """zero,zero zero,-zero -zero,-zero one,-one one,one one,half_ulp one,half_ulp_up -one,-half_ulp one,-half_ulp
one_up,half_ulp max,max max,half_ulp max,one -max,-half_max tiny,tiny tiny,-subnormal top_subnormal,tiny
normal,-tiny normal_up,-normal third,two third,-one_up inf,one inf,-inf -inf,-inf qnan,one one,snan inf,qnan
snan,qnan big_odd,half big_odd,-half zero,tiny one,tiny -one,tiny"""
PRODUCTS = """zero,-one zero,zero one,third third,third third,three one_up,one_up one_up,one_down max,two max,one_up
-max,max max,half tiny,half -tiny,half tiny,half_ulp subnormal,third top_subnormal,one_up normal,one_down
normal,third sqrt_normal,sqrt_normal sqrt_tiny,sqrt_tiny -sqrt_tiny,sqrt_tiny inf,-two inf,zero -zero,inf
qnan,two two,snan qnan,snan tiny,tiny max,tiny"""
QUOTIENTS = """one,three -one,three two,three one,third three,one zero,one -zero,one zero,zero one,zero -one,zero
inf,zero inf,inf one,inf -inf,two qnan,zero snan,one one,snan max,half max,tiny tiny,max tiny,two tiny,three
subnormal,one_up normal,two normal,one_up normal,one_down one_up,one_down -max,one_down top_subnormal,one_down
one_down,one_up"""
ROOTS = """zero -zero one two three third tiny -tiny subnormal top_subnormal normal max one_up one_down inf -inf -one
qnan snan -qnan half"""
FUSED = """one,one,one third,three,-one third,three,one one_up,one_up,-one one_up,one_down,-one max,two,-max max,two,max
max,one_up,-max tiny,tiny,one tiny,tiny,-normal half,tiny,tiny one,-one,one -one,one,one zero,one,-zero -zero,one,-zero
zero,inf,one inf,zero,qnan inf,zero,snan inf,one,-inf inf,one,inf qnan,one,one one,snan,one one,one,qnan
one,one,snan two,three,inf one_up,third,half_ulp sqrt_tiny,sqrt_tiny,tiny -sqrt_tiny,sqrt_tiny,normal
normal,one_down,-tiny big_odd,one,half max,max,-inf"""
PAIRS = """zero,-zero -zero,zero one,two two,one -one,one -one,-two inf,-inf max,inf -inf,-max tiny,zero -tiny,-zero
qnan,one one,qnan snan,one one,snan qnan,snan snan,qnan qnan,qnan third,third"""


def number(v, width):
    return "0x%0*x" % (width // 4, v & (1 << width) - 1)


def row(name, f, inputs, results, out_width):
    values = [number(x, f.width) for x in inputs]
    values += [number(r, out_width) for r, _ in results] + ["0x%02x" % flags for _, flags in results]
    print("%s(%s)" % (name, ", ".join(values)))


def arithmetic(f):
    o = operands(f)
    rng = random.Random(f.width)

    def near(count, arity):
        """Operands of like exponents, where rounding and cancellation happen."""
        for _ in range(count):
            yield [(f.bias + rng.randrange(-2, 3)) << (f.p - 1) | rng.getrandbits(f.p - 1) | rng.getrandbits(1) * f.sign
                   for _ in range(arity)]

    def table(name, picks, arity, operation):
        chosen = [[o[x] for x in pick.split(",")] for pick in picks.split()]
        for inputs in chosen + list(near(8, arity)):
            padded = inputs + [0] * (3 - arity)
            row(name, f, padded, [operation(*inputs, mode) for mode in MODES], f.width)

    def signed_table(name, negate_product, negate_addend):
        table(name, FUSED, 3, lambda a, b, c, m: multiply_add(f, a, b, c, m, negate_product, negate_addend))

    table("ADD", SUMS, 2, lambda a, b, m: add(f, a, b, m))
    table("SUB", SUMS, 2, lambda a, b, m: sub(f, a, b, m))
    table("MUL", PRODUCTS, 2, lambda a, b, m: mul(f, a, b, m))
    table("DIV", QUOTIENTS, 2, lambda a, b, m: div(f, a, b, m))
    root_picks = [[o[x]] for x in ROOTS.split()] + [[f.magnitude(x[0])] for x in near(8, 1)]
    for inputs in root_picks:
        row("SQRT", f, inputs + [0, 0], [sqrt(f, inputs[0], mode) for mode in MODES], f.width)
    signed_table("MADD", False, False)
    signed_table("MSUB", False, True)
    signed_table("NMSUB", True, False)
    signed_table("NMADD", True, True)
    for pick in PAIRS.split():
        a, b = (o[x] for x in pick.split(","))
        minimum, maximum = extremum(f, a, b, False), extremum(f, a, b, True)
        compared = [compare(f, a, b, relation) for relation in ("eq", "lt", "le")]
        print("PAIR(%s, %s, %s, %s, 0x%02x, %d, %d, %d, 0x%02x, 0x%02x)" % (
            number(a, f.width), number(b, f.width), number(minimum[0], f.width), number(maximum[0], f.width), minimum[1],
            compared[0][0], compared[1][0], compared[2][0], compared[0][1], compared[1][1]))
    for name in "zero tiny top_subnormal normal one max inf qnan snan".split():
        for x in (o[name], o["-" + name]):
            print("CLASS(%s, 0x%03x)" % (number(x, f.width), classify(f, x)))


def conversions():
    for f, letter in ((SINGLE, "S"), (DOUBLE, "D")):
        o = operands(f)
        fractions = [Fraction(n, 4) for n in (1, 2, 3, 5, 6, 10)]
        borders = [Fraction(2) ** n + d for n in (31, 32, 63, 64) for d in (-1, Fraction(-1, 2), 0, Fraction(1, 2), 1)]
        values = sorted({encode(f, v, RNE, False)[0] for v in fractions + borders} | {0, o["tiny"], o["max"], f.inf, f.one})
        values += [v | f.sign for v in values] + [o["qnan"], o["snan"], o["-qnan"]]
        for bits, signed, name in ((32, True, "W"), (32, False, "WU"), (64, True, "L"), (64, False, "LU")):
            for a in values:
                results = [to_integer(f, a, mode, bits, signed) for mode in MODES]
                if bits == 32:  # both widths of register hold it sign-extended
                    results = [((r & 0xffffffff) - (r << 1 & 1 << 32), flags) for r, flags in results]
                row("%s_TO_%s" % (letter, name), f, [a], results, 64)
        integers = [0, 1, 2, 3, 0x7fffffff, 0x80000000, 0xffffffff, 0x1000001, 0x1000003, 0x7fffff80, 0x7fffffc0, 0x7fffffbf]
        wide = [1 << 53, (1 << 53) + 1, (1 << 53) + 3, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, (1 << 64) - (1 << 10),
                (1 << 63) + (1 << 39), (1 << 63) + (1 << 39) + 1, 0x123456789abcdef0]
        for bits, signed, name in ((32, True, "W"), (32, False, "WU"), (64, True, "L"), (64, False, "LU")):
            for n in integers + (wide if bits == 64 else []):
                value = n - (1 << bits) if signed and n >> (bits - 1) else n
                results = [from_integer(f, value, mode) for mode in MODES]
                print("%s_TO_%s(%s, %s)" % (name, letter, number(n, 64), ", ".join(
                    [number(r, f.width) for r, _ in results] + ["0x%02x" % flags for _, flags in results])))
    o = operands(DOUBLE)
    singles = operands(SINGLE)
    doubles = [o[x] for x in "zero -zero one third -third max -max tiny inf -inf qnan snan one_up one_down".split()]
    for name in "tiny subnormal top_subnormal normal max half_ulp".split():
        exact = to_format(SINGLE, DOUBLE, singles[name], RNE)[0]
        doubles += [exact, exact + 1, exact - 1, exact | DOUBLE.sign]
    top = to_format(SINGLE, DOUBLE, SINGLE.max, RNE)[0]
    doubles += [top + (1 << 28), top + (1 << 28) - 1, (top + (1 << 28)) | DOUBLE.sign, top + (1 << 29)]
    doubles += [to_format(SINGLE, DOUBLE, 1, RNE)[0] - (1 << 52), to_format(SINGLE, DOUBLE, 1, RNE)[0] - (1 << 52) + 1]
    for a in doubles:
        row("D_TO_S", DOUBLE, [a], [to_format(DOUBLE, SINGLE, a, mode) for mode in MODES], 32)
    for name in "zero -zero one -third tiny -subnormal top_subnormal normal max -max inf -inf qnan snan -snan".split():
        row("S_TO_D", SINGLE, [singles[name]], [to_format(SINGLE, DOUBLE, singles[name], mode) for mode in MODES], 64)


if __name__ == "__main__":
    print("/* Vectors of float_vectors.py: operands, results in RNE RTZ RDN RUP RMM, flags in the same order. */")
    {"single": lambda: arithmetic(SINGLE), "double": lambda: arithmetic(DOUBLE), "convert": conversions}[sys.argv[1]]()
