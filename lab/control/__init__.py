"""The lab's own pages and JSON: see every chat, cut links, reboot routers, start storms."""
