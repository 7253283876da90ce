# The runner as a bare guest program, by the SDK's rules: make -f guest.mk WIDTH=64 PROGRAM=... BUILD=...
SOURCES = runner.c words.c stress.c composite.c face_native.c face_native_special.c port_native.c
BISCUIT_SDK ?= $(dir $(lastword $(MAKEFILE_LIST)))../../guest/sdk
include $(BISCUIT_SDK)/biscuit.mk
