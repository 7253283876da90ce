/* What the runner needs of Linux, in a guest and on the host: input and output, a clock, processes. */
#include "face.h"
#include "linux_calls.h"
#include "port_linux.h"
#include "stress.h"

long linux_fork(void)
{
	return CALL5(clone, LINUX_SIGCHLD, 0, 0, 0, 0);
}

uint64_t port_milliseconds(void)
{
	struct linux_time t;

	CALL2(clock_gettime, 1, &t);
	return (uint64_t)t.sec * 1000 + (uint64_t)t.nsec / 1000000;
}

void *port_shared(size_t size)
{
	static void *memory;

	if (!memory)
		memory = (void *)CALL6(mmap, 0, size, LINUX_PROT_READ | LINUX_PROT_WRITE,
				       LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS, -1, 0);
	return memory;
}

/* Each task is a process, with the open files of this one. */
void port_parallel(unsigned tasks, void (*run)(unsigned task, struct stress_result *result),
		   struct stress_result *results)
{
	for (unsigned i = 0; i < tasks; i++) {
		if (linux_fork() == 0) {
			run(i, &results[i]);
			CALL1(exit_group, 0);
		}
	}
	while (CALL4(wait4, -1, 0, 0, 0) > 0)
		;
}

static struct {
	char bytes[4096];
	long at, end;
} input;

int port_get(void)
{
	if (input.at >= input.end) {
		input.end = CALL3(read, 0, input.bytes, sizeof(input.bytes));
		input.at = 0;
	}
	return input.end > 0 ? (unsigned char)input.bytes[input.at++] : -1;
}

bool port_ready(void)
{
	struct {
		int32_t fd;
		int16_t events, ready;
	} console = {.events = 1};
	struct linux_time none = {0, 0};

	return input.at < input.end || CALL5(ppoll, &console, 1, &none, 0, 0) > 0;
}

void port_put(const char *bytes, size_t len)
{
	while (len) {
		long done = CALL3(write, 1, bytes, len);

		if (done <= 0)
			return;
		bytes += done;
		len -= (size_t)done;
	}
}

int64_t *port_handles(void)
{
	static int64_t handles[FACE_HANDLES];
	static bool begun;

	for (unsigned i = 0; !begun && i < FACE_HANDLES; i++)
		handles[i] = -1;
	begun = true;
	return handles;
}
