let
    Folder = AzureStorage.DataLake("https://ACCOUNT.dfs.core.windows.net/CONTAINER/lake/sign_in_records",
        [HierarchicalNavigation = true]),
    Records = DeltaLake.Table(Folder)
in
    Records
