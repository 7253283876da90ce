/* What the two files of the native face know of each other. */
#ifndef MAGICFS_FACE_NATIVE_H
#define MAGICFS_FACE_NATIVE_H

/* Ends all watches and forgets what they have told. */
void native_stop_watching(void);
void native_unmap_all(void);

#endif
