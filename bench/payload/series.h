/*
 * Floating-point work for one precision: the file that includes this defines the type `real` and SQUARE_ROOT. Only
 * operations that IEEE 754 defines exactly are used, and the compiler must not contract them, so that every machine
 * computes the same bits.
 */
#include "../bench.h"

#define TERMS  3000
#define BODIES 5
#define STEPS  60
#define SIDE   24

struct body {
	real x, y, z, vx, vy, vz, mass;
};

static struct body bodies[BODIES];

/* The bits of a value, folded to 32. */
static uint32_t bits(real value)
{
	union {
		real value;
		uint32_t words[sizeof(real) / 4];
	} as = {.value = value};
	uint32_t folded = 0;

	for (unsigned i = 0; i < sizeof(real) / 4; i++)
		folded ^= as.words[i];
	return folded;
}

/* Leibniz' series: a division and an addition a term. The sign is also the scale. */
static real quarter_pi(real sign)
{
	real sum = 0;

	for (int32_t i = 0; i < TERMS; i++) {
		sum += sign / (real)(2 * i + 1);
		sign = -sign;
	}
	return sum;
}

/* Taylor's series of the sine with a test for convergence. */
static real sine(real x)
{
	real term = x, sum = x, square = x * x;

	for (int32_t i = 2; i < 60; i += 2) {
		real next = sum;

		term *= -square / (real)(i * (i + 1));
		next += term;
		if (next == sum)
			break;
		sum = next;
	}
	return sum;
}

static void place_bodies(uint32_t *seed)
{
	for (unsigned i = 0; i < BODIES; i++) {
		struct body *b = &bodies[i];

		b->x = (real)(bench_random(seed) % 1000) / 64;
		b->y = (real)(bench_random(seed) % 1000) / 64;
		b->z = (real)(bench_random(seed) % 1000) / 64;
		b->vx = b->vy = b->vz = 0;
		b->mass = (real)(1 + i) / 8;
	}
}

/* One step of mutual attraction: products, a square root and a division a pair. */
static void move_bodies(real dt)
{
	for (unsigned i = 0; i < BODIES; i++) {
		for (unsigned j = i + 1; j < BODIES; j++) {
			struct body *a = &bodies[i], *b = &bodies[j];
			real dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
			real square = dx * dx + dy * dy + dz * dz + (real)0.125;
			real pull = dt / (square * SQUARE_ROOT(square));

			a->vx -= dx * b->mass * pull;
			a->vy -= dy * b->mass * pull;
			a->vz -= dz * b->mass * pull;
			b->vx += dx * a->mass * pull;
			b->vy += dy * a->mass * pull;
			b->vz += dz * a->mass * pull;
		}
	}
	for (unsigned i = 0; i < BODIES; i++) {
		bodies[i].x += dt * bodies[i].vx;
		bodies[i].y += dt * bodies[i].vy;
		bodies[i].z += dt * bodies[i].vz;
	}
}

/* How fast points of the plane run away under z = z*z + c: compares after every step. */
static uint32_t escape_times(void)
{
	uint32_t sum = 0;

	for (int32_t row = 0; row < SIDE; row++) {
		for (int32_t column = 0; column < SIDE; column++) {
			real cr = (real)column / 12 - (real)1.5, ci = (real)row / 12 - 1, r = 0, i = 0;
			uint32_t step = 0;

			while (step < 40 && r * r + i * i < 4) {
				real next = r * r - i * i + cr;

				i = 2 * r * i + ci;
				r = next;
				step++;
			}
			sum = sum * 3 + step;
		}
	}
	return sum;
}

static uint32_t series_work(uint32_t rounds)
{
	uint32_t checksum = 1, seed = 123456789;

	for (uint32_t round = 0; round < rounds; round++) {
		checksum = bench_mix(checksum, bits(quarter_pi(1 + (real)(round % 8))));
		for (int32_t i = -60; i < 60; i++)
			checksum = bench_mix(checksum, bits(sine((real)i / 16 + (real)(round % 16) / 256)));
		place_bodies(&seed);
		for (unsigned step = 0; step < STEPS; step++)
			move_bodies((real)0.03125);
		for (unsigned i = 0; i < BODIES; i++)
			checksum = bench_mix(checksum, bits(bodies[i].x + bodies[i].y + bodies[i].z));
		checksum = bench_mix(checksum, escape_times());
	}
	return checksum;
}
