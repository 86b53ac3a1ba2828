# The camera's C API as a library for applications: liblarod.so.1, its headers, liblarod.pc and
# larod-client. The build folder has the shape of an installation, so that applications are built
# against either in the same way: PKG_CONFIG_PATH=build/release/lib/pkgconfig.
include(GNUInstallDirs)
set(LAROD_API_VERSION 3.6.78)

set(larod_map ${CMAKE_SOURCE_DIR}/cmake/liblarod.map)
file(GLOB larod_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/larod/api/*.cc)
add_library(larod SHARED ${larod_sources})
set_target_properties(larod PROPERTIES
  VERSION 1.0.0 SOVERSION 1 LINK_DEPENDS ${larod_map}
  LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
target_link_libraries(larod PRIVATE dlpu_larod)
# Only the API is visible. Its symbols have no version: what the camera's are called is not known.
target_link_options(larod PRIVATE -Wl,--version-script=${larod_map})
target_include_directories(larod INTERFACE ${CMAKE_BINARY_DIR}/include)

set(larod_headers)
foreach(header larod.h larod-version.h)
  configure_file(${CMAKE_SOURCE_DIR}/include/${header} ${CMAKE_BINARY_DIR}/include/${header} COPYONLY)
  list(APPEND larod_headers ${CMAKE_SOURCE_DIR}/include/${header})
endforeach()

# One file for the build folder, one for the installation: they differ in how far up the prefix is.
set(pc_prefix ../..)
set(pc_libdir lib)
set(pc_includedir include)
configure_file(cmake/liblarod.pc.in ${CMAKE_BINARY_DIR}/lib/pkgconfig/liblarod.pc @ONLY)
file(RELATIVE_PATH pc_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" pc_prefix "${pc_prefix}")
set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
configure_file(cmake/liblarod.pc.in ${CMAKE_BINARY_DIR}/generated/liblarod.pc @ONLY)

install(TARGETS larod LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT larod)
install(FILES ${larod_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT larod)
install(FILES ${CMAKE_BINARY_DIR}/generated/liblarod.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT larod)
install(DIRECTORY data/targets data/cost DESTINATION ${CMAKE_INSTALL_DATADIR}/dlpu COMPONENT larod)
install(FILES data/products.toml data/rules.toml data/firmware.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/dlpu
        COMPONENT larod)

# An application like any other: nothing but larod.h and the library.
file(GLOB larod_client_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/larod/client/*.cc)
add_executable(larod-client ${larod_client_sources})
target_link_libraries(larod-client PRIVATE larod)
target_include_directories(larod-client PRIVATE ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(larod-client PRIVATE LAROD_CLIENT_VERSION="${LAROD_API_VERSION}")
dlpu_quick_to_build(larod-client)
set_target_properties(larod-client PROPERTIES
  INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}" BUILD_RPATH_USE_ORIGIN ON)
install(TARGETS larod-client RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT larod)

# Tells Axis' scripts which camera this is.
add_executable(parhandclient src/larod/parhand/main.cc)
target_link_libraries(parhandclient PRIVATE dlpu_larod)
dlpu_quick_to_build(parhandclient)
install(TARGETS parhandclient RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT larod)
