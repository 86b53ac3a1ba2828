# Cross-builds for 64-bit Arm with Debian's compiler; tests run under qemu-user. The libraries
# come from build/sysroot-aarch64, which tools/aarch64_sysroot.sh fills; headers that are the same
# on every processor come from the host.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

set(DLPU_SYSROOT ${CMAKE_CURRENT_LIST_DIR}/../build/sysroot-aarch64)
set(DLPU_SYSROOT_LIBS ${DLPU_SYSROOT}/usr/lib/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH ${DLPU_SYSROOT})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE BOTH)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
set(CMAKE_EXE_LINKER_FLAGS_INIT "-L${DLPU_SYSROOT_LIBS} -Wl,-rpath-link,${DLPU_SYSROOT_LIBS}")
set(CMAKE_CXX_FLAGS_INIT
    "-isystem ${DLPU_SYSROOT}/usr/include/aarch64-linux-gnu -isystem ${DLPU_SYSROOT}/usr/include")
set(ENV{PKG_CONFIG_LIBDIR} ${DLPU_SYSROOT_LIBS}/pkgconfig:/usr/share/pkgconfig)
set(ENV{PKG_CONFIG_SYSROOT_DIR} ${DLPU_SYSROOT})
set(CMAKE_CROSSCOMPILING_EMULATOR
    qemu-aarch64 -cpu max -E LD_LIBRARY_PATH=${DLPU_SYSROOT_LIBS} -L /usr/aarch64-linux-gnu)
