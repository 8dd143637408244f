// Command readmarisma reads a Delta table with this module and prints the same
// comparison object as the Python readers beside it: readmarisma FOLDER.
package main
