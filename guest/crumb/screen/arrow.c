/* The pointer: a light arrow with a dark edge, which shows on everything. */
#include "arrow.h"

#define WIDTH  13
#define HEIGHT 20

static const char *const rows[HEIGHT] = {
	"#            ", "##           ", "#.#          ", "#..#         ", "#...#        ",
	"#....#       ", "#.....#      ", "#......#     ", "#.......#    ", "#........#   ",
	"#.........#  ", "#..........# ", "#.......#####", "#....#..#    ", "#...# #..#   ",
	"#..#  #..#   ", "#.#    #..#  ", "##     #..#  ", "#       #..# ", "        ###  ",
};

static uint32_t pixels[HEIGHT * WIDTH];

void make_arrow(struct picture *p)
{
	*p = (struct picture){pixels, WIDTH, HEIGHT, WIDTH};
	for (int i = 0; i < HEIGHT * WIDTH; i++) {
		char c = rows[i / WIDTH][i % WIDTH];

		pixels[i] = c == '#' ? 0xff241a14 : c == '.' ? 0xfffff6e6 : 0;
	}
}
