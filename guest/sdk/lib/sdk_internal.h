/* Between the files of the library. */
#ifndef SDK_INTERNAL_H
#define SDK_INTERNAL_H

/* Called by start.S. */
_Noreturn void sdk_start(unsigned long hart, const void *device_tree);
_Noreturn void sdk_unexpected_trap(void);

#endif
