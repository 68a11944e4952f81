/* ctl.h - `sluice ctl`: a Connect worker, sluice or Java, from a terminal or a script. */
#ifndef SLUICE_CTL_CTL_H
#define SLUICE_CTL_CTL_H

/* argv: what stands behind "ctl". The exit code (docs/CTL.md). curl is initialised; signals are as
 * the shell left them. */
int sluice_ctl(int argc, char **argv);

#endif
