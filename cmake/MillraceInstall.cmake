# What `cmake --install` puts where: the programs, the four libraries with their public headers for
# find_package(millrace), the recipes, and the documents. Paths are GNUInstallDirs'.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/millrace")
set(libraries millrace_formats millrace_compute millrace_loader millrace_train)
if(MILLRACE_HAS_CUDA)
  list(APPEND libraries millrace_cuda_kernels)
endif()

install(TARGETS trainer tools RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
install(TARGETS ${libraries} EXPORT millraceTargets ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/millrace")
if(MILLRACE_HAS_PYTHON_MODULE)
  # Where a virtual environment has its modules, so that one is a prefix to install to; but a wheel has them at its root.
  set(python_package "lib/python${Python3_VERSION_MAJOR}.${Python3_VERSION_MINOR}/site-packages/millrace")
  if(SKBUILD)
    set(python_package "millrace")
  endif()
  install(TARGETS millrace_python LIBRARY DESTINATION "${python_package}" COMPONENT python)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/python/millrace/" DESTINATION "${python_package}" COMPONENT python
          FILES_MATCHING PATTERN "*.py" PATTERN "*.pyi" PATTERN "py.typed")
endif()
install(EXPORT millraceTargets NAMESPACE millrace:: DESTINATION "${package_dir}")

# The folders' own headers, by the names they have in the source; not the engines' insides in the folders
# below compute/, nor what joins them.
foreach(folder formats compute loader train)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/millrace/${folder}"
          FILES_MATCHING PATTERN "*.h"
          PATTERN "cpu" EXCLUDE PATTERN "cuda" EXCLUDE PATTERN "cuda_engine.h" EXCLUDE
          PATTERN "chunk_checks.h" EXCLUDE PATTERN "image_codecs.h" EXCLUDE)
endforeach()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/millraceConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/millraceConfig.cmake" INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/millraceConfig.cmake" "${PROJECT_BINARY_DIR}/millraceConfigVersion.cmake"
        DESTINATION "${package_dir}")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/recipes" DESTINATION "${CMAKE_INSTALL_DATADIR}/millrace")
install(FILES "${PROJECT_SOURCE_DIR}/README.md" "${PROJECT_SOURCE_DIR}/LICENSE" "${PROJECT_SOURCE_DIR}/THIRD_PARTY.md"
              "${PROJECT_SOURCE_DIR}/HACKING.md"
        DESTINATION "${CMAKE_INSTALL_DOCDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs" "${PROJECT_SOURCE_DIR}/examples" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
