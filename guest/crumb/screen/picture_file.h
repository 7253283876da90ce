/* Pictures as files of the host. */
#ifndef PICTURE_FILE_H
#define PICTURE_FILE_H

#include "picture.h"

/* Writes a picture: as BMP where the name ends so, else as PPM. 0 or an error. */
int64_t picture_save(const struct picture *p, const char *path);

#endif
