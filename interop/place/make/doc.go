// Command make makes the containers of addresses on Azure, with the key that
// AZURE_STORAGE_KEY has:
//
//	make ADDRESS ...
package main
