/* The progress line of loading. Runs on the main thread. */
#include "progress.h"

#include <stdio.h>

#include "frontend/run/now.h"

#define LARGE	((uint64_t)64 << 20) /* bytes: shown from the start */
#define SLOW_MS 300		     /* shown from then on, whatever the size */

void progress_erase(struct progress *p)
{
	if (p->width)
		fprintf(stderr, "\r%*s\r", p->width, "");
	p->width = 0;
}

void progress_report(void *arg, const char *name, uint64_t done, uint64_t total)
{
	struct progress *p = arg;
	int percent = (int)((double)done / (double)total * 100), width;

	if (!p->enabled)
		return;
	if (!done) {
		p->started_ms = now_ms();
		p->percent = -1;
	}
	if (done >= total) {
		progress_erase(p);
		return;
	}
	if (percent == p->percent || (total < LARGE && now_ms() - p->started_ms < SLOW_MS))
		return;
	p->percent = percent;
	width = fprintf(stderr, "\rbiscuit-run: loading %s: %d%%", name, percent);
	p->width = width > p->width ? width : p->width;
}
