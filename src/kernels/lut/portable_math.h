// SPDX-License-Identifier: Apache-2.0
// Elementary functions for tables of codes, from additions, multiplications and divisions of
// binary64 alone: the same bits on every machine, whatever its C library. Errors are a few units
// in the last place of binary64 (tested against the C library). Pure functions; any thread.
#pragma once

namespace dlpu {

double PortableExp(double x);    // e^x; 0 below -745, +inf above 709.78
double PortableExpm1(double x);  // e^x - 1
double PortableLog(double x);    // natural logarithm; NaN below 0, -inf at 0
double PortableTanh(double x);
double PortableErf(double x);  // 2/sqrt(pi) * integral of exp(-t^2) from 0 to x

}  // namespace dlpu
