"""Packages of the distribution: three folders of the tree become one import package, `twin`."""

from setuptools import find_namespace_packages, setup

packages = ["twin", *(f"twin.{name}" for name in find_namespace_packages("twin"))]
for folder in ("api", "topologies"):
    packages += [f"twin.{folder}", *(f"twin.{folder}.{name}" for name in find_namespace_packages(folder))]
setup(packages=[name for name in packages if "__pycache__" not in name])
