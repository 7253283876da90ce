/* What the device tree says about the machine. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

struct board {
	bool described;	   /* a device tree was found and made sense; else the values below are modest guesses */
	unsigned long ram; /* bytes from RAM_BASE, at most RAM_MAX */
	unsigned harts;	   /* hart nodes in the tree; crumb runs on one of them */
	uint32_t ticks_per_second; /* of the time register */
	char isa[96];		   /* the ISA string of the first hart, cut to fit */
	bool plain;		   /* the boot arguments contain the word `plain`: no line editing */
};

extern struct board board;

/* Fills in `board` from the flattened device tree at `tree`, which need not be one. Called once, in M-mode. */
void board_read(const void *tree);

#endif
